// Secrets: the admin's variables of `env_file` and files of `secrets`. podman-compose, and with it the plan,
// the record and every message, gets a placeholder for the value. The value reaches podman in a sealed memfd
// when the container is made: never in podman's environment, where a name of the committer's choice would
// steer podman and its children, and never in an argv or a file. Whether one changed since is asked of the
// container.
#pragma once

#include "base/secret.hpp"
#include "compose/podman.hpp"
#include "core/findings.hpp"
#include "core/plan.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

using Secrets = std::map<std::string, Secret, std::less<>>; // NAME → value

Secrets secrets_from(std::string_view packed); // "NAME=value", each ended by NUL

// Those of the admin's `secrets`, whose values are whole files: "NAME", NUL, the size in digits, NUL, the
// bytes.
Secrets secret_files_from(std::string_view packed);

// What a job has of them.
struct SecretValues {
    Secrets variables; // of env_file
    Secrets files;     // of `secrets`
    Secrets plain;     // of `env`: secret only in a memory file
};

std::string placeholder_of(std::string_view name); // "{secret:NAME}"

// The NAME of a text that is "{secret-file:NAME}", which stands for such a file.
std::optional<std::string_view> secret_file_in(std::string_view text);

// The NAMEs of its placeholders.
std::vector<std::string> secrets_in(std::string_view text);

// The first placeholder that no secret is called after.
std::optional<std::string> unknown_secret(std::string_view text, const Secrets& secrets);

// NAME=value with the values in their places; nullopt: there is no placeholder in it.
std::optional<std::string> with_secrets(std::string_view assignment, const Secrets& secrets);

// How long that would be, in bytes.
std::size_t size_with_secrets(std::string_view text, const Secrets& secrets);

// podman 4.3.1 reads a line of an env file as it is, but for blanks before the name, and ends it at CR or LF.
bool fits_env_file(std::string_view assignment);

// A placeholder may stand in the environment of a container, its name has to be known, and an env file has to
// be able to carry the value. Anywhere else it would show the value or keep it in an image.
void check_secrets(const Plan& plan, const Secrets& secrets, Findings& findings);

// Containers, by name, that run with another value than now → the variable's name.
Result<std::map<std::string, std::string>> changed_secrets(const Podman& podman, const Plan& plan,
                                                           const Secrets& secrets);

} // namespace pgod::compose

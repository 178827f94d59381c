// Secrets: the admin's variables of `env_file`. podman-compose, and with it the plan, the record and every
// message, gets a placeholder for the value; the value itself is put into podman's environment when the
// container is made, and nowhere else: no argv, no file. Whether one changed since is asked of the container.
#pragma once

#include "base/secret.hpp"
#include "compose/podman.hpp"
#include "core/plan.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

using Secrets = std::map<std::string, Secret, std::less<>>; // NAME → value

Secrets secrets_from(std::string_view packed); // "NAME=value", each ended by NUL

std::string placeholder_of(std::string_view name); // "{secret:NAME}"

// NAME=value with the values in their places; nullopt: there is no placeholder in it.
std::optional<std::string> with_secrets(std::string_view assignment, const Secrets& secrets);

// A placeholder may stand in the environment of a container, and its name has to be known; all else would
// show the value or keep it in an image.
Status check_secrets(const Plan& plan, const Secrets& secrets);

// Containers, by name, that run with another value than now → the variable's name.
Result<std::map<std::string, std::string>> changed_secrets(const Podman& podman, const Plan& plan,
                                                           const Secrets& secrets);

} // namespace pgod::compose

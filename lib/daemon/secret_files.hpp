// SecretFiles: what the admin gave for a service's work and no other process may see. Read by the supervisor
// anew for each job, so that a changed file counts from then on; a worker gets each as a sealed anonymous
// file on a descriptor of its own, never in a frame, an environment or an argv.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "core/service.hpp"
#include "os/secret_file.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pgod::daemon {

struct SecretFiles {
    Fd env;           // of `env_file`: "NAME=value", each ended by NUL
    Fd registry_auth; // of `registry_auth`, as it is
    Fd secrets;       // of `secrets`: "NAME", NUL, the size in digits, NUL, the file as it is
};

Result<SecretFiles> open_secret_files(const Service& service);

// What is wrong with any file of secrets that the service names, as sentences: a systemd credential is not
// looked for where pgod runs outside its unit.
std::vector<std::string> problems_of_secret_files(const Service& service);

// Where pgod-work finds them; absent: the service has none.
inline constexpr int env_secrets_descriptor = 4;
inline constexpr int registry_auth_descriptor = 5;
inline constexpr int secrets_descriptor = 8; // 6 and 7: work_role.hpp
inline constexpr std::size_t max_secrets = (os::max_secret_file + 300) * max_service_secrets; // bytes in all

} // namespace pgod::daemon

// The checks of the doctor that need no other process of pgod: what the host has, and what it has of a user.
#pragma once

#include "base/identity.hpp"
#include "core/diagnosis.hpp"

#include <vector>

namespace pgod::daemon {

std::vector<Finding> examine_host(const Config& config);
std::vector<Finding> examine_proxy(const Config& config); // none without [proxy]
std::vector<Finding> examine_user(const Identity& user, bool linger);
// Ports, files of secrets, names: what needs no upstream.
std::vector<Finding> examine_service(const Service& service, const Identity& user);

} // namespace pgod::daemon

// `pgod --doctor`: looks over the host and every service of a configuration, and says for each fault the
// command that mends it. Runs beside a pgod that serves, leaves nothing behind, and ends. What concerns a
// user runs as that user (pgod-work); upstream is asked by a git job, names are resolved by getent(1) as the
// user: root reads no byte of either.
#pragma once

#include "core/diagnosis.hpp"

#include <vector>

namespace pgod::daemon {

// In the order: host, users, services.
std::vector<Finding> examine(const Config& config);

std::string as_text(const std::vector<Finding>& findings);
std::string as_json(const std::vector<Finding>& findings);
bool all_good(const std::vector<Finding>& findings);

} // namespace pgod::daemon

// What the roles that serve the network have in common from their first line to their exit status.
#pragma once

#include "base/result.hpp"

#include <functional>
#include <string_view>

namespace pgod::daemon {

// Begins the log of `program`, then serves. The exit status of the process; the reason of a failure is in the
// log, also of one that ended by an exception.
int run_role(std::string_view program, bool debug, const std::function<Status()>& serve);

} // namespace pgod::daemon

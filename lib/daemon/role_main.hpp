// What the roles that serve the network have in common from their first line to their exit status.
#pragma once

#include "base/result.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pgod::daemon {

// As whom a role serves; both empty: as who started it, which must not be root.
struct RunAs {
    std::string user;
    std::string empty_directory; // the root directory from then on
};

// Of a command line that is what confinement_arguments() gives, and nothing else.
std::optional<RunAs> run_as(int argc, char** argv);

// Begins the log of `program`, then serves. The exit status of the process; the reason of a failure is in the
// log, also of one that ended by an exception.
int run_role(std::string_view program, bool debug, const std::function<Status()>& serve);

} // namespace pgod::daemon

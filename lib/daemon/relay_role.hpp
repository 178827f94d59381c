// The whole of pgod-relay: confines itself as pgod-ssh does, and for each user whom the supervisor accepted
// forks a process, which takes that one connection from the supervisor's socket (descriptor 3) itself and
// serves it (relay_child.hpp). This process never holds a user's connection: to close one can take as long as
// its user likes. It forks one at a time, and at most 160 are there at once; further users wait.
#pragma once

#include "daemon/role_main.hpp"

namespace pgod::daemon {

// The exit status of the process; the reason of a failure is in the log.
int run_relay_role(const RunAs& as);

} // namespace pgod::daemon

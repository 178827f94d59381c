// The whole of pgod-metrics: confines itself (confinement.hpp), takes its listening sockets from the
// supervisor on descriptor 3, gives up all system calls that it does not need, and serves
// (metrics_listener.hpp). It reads the supervisor's numbers and what HTTP clients send, and nothing else.
#pragma once

#include "daemon/role_main.hpp"

namespace pgod::daemon {

// The exit status of the process; the reason of a failure is in the log.
int run_metrics_role(const RunAs& as);

} // namespace pgod::daemon

// The system calls that pgod-metrics may make once it listens (call_filter.hpp).
#pragma once

#include "daemon/call_filter.hpp"

namespace pgod::daemon {

Result<CallFilter> compile_metrics_filter();

} // namespace pgod::daemon

// One operation of a plan, at pgod of this host over its control socket: who asks is said by the kernel, so
// there is no key. Runs in pgoctl.
#pragma once

#include "client/plan.hpp"

namespace pgod::client {

int run_on_this_host(const Plan& plan); // core/exit_status.hpp

} // namespace pgod::client

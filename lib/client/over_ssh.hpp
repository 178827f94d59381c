// One operation of a plan, at a host that is reached by SSH: tries the keys in turn, runs it, and hands on
// what comes back. Runs in pgoctl.
#pragma once

#include "client/keyring.hpp"
#include "client/plan.hpp"

namespace pgod::client {

int run_over_ssh(Plan plan, Keyring keyring); // core/exit_status.hpp

} // namespace pgod::client

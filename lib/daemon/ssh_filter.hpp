// The system calls that a connection's process may make (call_filter.hpp). The filter is compiled once, in
// pgod-ssh's listener, and entered by each child before it sees a client.
//
// Entering it takes 0.06 ms, which the child that waits in advance spends before its client comes; each
// system call then takes some 10 ns more.
//
// The listener itself goes without: it must fork, accept and kill, and reads nothing of what a client sends.
#pragma once

#include "daemon/call_filter.hpp"

namespace pgod::daemon {

Result<CallFilter> compile_ssh_filter();

} // namespace pgod::daemon

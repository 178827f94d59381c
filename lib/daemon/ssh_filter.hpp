// SshFilter: the system calls that a connection's process may make, as a seccomp(2) filter. It is compiled
// once, in pgod-ssh's listener, and entered by each child before it sees a client; there is no way back.
//
// What serving a connection takes is allowed, some of it with certain arguments only. Everything else fails
// with EPERM: a library that is updated and tries something new and harmless (to open a file, mostly) must
// not lock everyone out. What only an attacker has a use for here (another program, another process, another
// socket, somebody else's memory) ends the process, and the kernel's log and ours say so.
//
// Entering it takes 0.06 ms, which the child that waits in advance spends before its client comes; each
// system call then takes some 10 ns more.
//
// The listener itself goes without: it must fork, accept and kill, and reads nothing of what a client sends.
#pragma once

#include "base/result.hpp"

#include <linux/filter.h>

#include <vector>

namespace pgod::daemon {

class SshFilter {
  public:
    static Result<SshFilter> compile();
    Status enter() const; // needs no_new_privs

  private:
    std::vector<sock_filter> program_;
};

} // namespace pgod::daemon

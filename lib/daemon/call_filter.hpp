// CallFilter: the system calls that a process may make, as a seccomp(2) filter; there is no way back once it
// is entered.
//
// What a table allows is allowed, some of it with certain arguments only. Everything else fails with EPERM: a
// library that is updated and tries something new and harmless (to open a file, mostly) must not lock
// everyone out. What only an attacker has a use for in such a process (another program, another process,
// another socket, somebody else's memory) ends it, and the kernel's log says so.
#pragma once

#include "base/result.hpp"

#include <linux/filter.h>
#include <seccomp.h>

#include <cstdint>
#include <span>
#include <vector>

namespace pgod::daemon {

class CallFilter {
  public:
    // A call that is allowed when one of its arguments, masked, is as given.
    struct Narrowed {
        int call;
        scmp_arg_cmp argument;
    };

    static Result<CallFilter> compile(std::span<const int> allowed, std::span<const Narrowed> narrowed);
    Status enter() const; // needs no_new_privs

  private:
    std::vector<sock_filter> program_;
};

constexpr CallFilter::Narrowed only_with(int call, unsigned index, std::uint64_t mask, std::uint64_t value) {
    return {call, {index, SCMP_CMP_MASKED_EQ, mask, value}};
}

} // namespace pgod::daemon

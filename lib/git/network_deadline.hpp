// NetworkDeadline: when all network work of this process ends.
#pragma once

#include <chrono>

namespace pgod::git {

// The end of all network work of this process, while it lives. libgit2 gives a stream no place for a caller's
// data, hence the process-wide state. At the deadline a signal shuts every internet socket of the process
// down, again and again: that also ends what libssh2 waits for, which has no timeout of its own. The job's
// process has no other such sockets.
class NetworkDeadline {
  public:
    explicit NetworkDeadline(std::chrono::steady_clock::time_point deadline);
    ~NetworkDeadline();
    NetworkDeadline(const NetworkDeadline&) = delete;
    NetworkDeadline& operator=(const NetworkDeadline&) = delete;

    static std::chrono::steady_clock::time_point current() noexcept; // max(): none
    static bool passed() noexcept;
};

} // namespace pgod::git

// CommandRate: how often one key, or one user of this host, may run commands: `per_second` in the long run,
// `burst` at once. Each command costs root and the SSH endpoint some 2 ms of CPU, so a key that loops takes a
// fifth of a core and no more. Pure. Who has not asked for a while is forgotten, so the table holds no more
// than those who asked within the last `burst` / `per_second` seconds, and never more than `max_callers`.
#pragma once

#include "core/pace.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace pgod::daemon {

class CommandRate {
  public:
    using Clock = Pace::Clock;
    static constexpr unsigned per_second = 100;
    static constexpr unsigned burst = 1000;
    static constexpr std::size_t max_callers = 4096;

    bool take(const std::string& caller, Clock::time_point now); // false: too often

  private:
    void forget_idle(Clock::time_point now);

    std::map<std::string, Pace> paces_; // by caller
};

} // namespace pgod::daemon

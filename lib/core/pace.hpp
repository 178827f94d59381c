// Pace: how often something may be done: `burst` times at once, and in the long run once in each `price`.
// Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace pgod {

class Pace {
  public:
    using Clock = std::chrono::steady_clock;

    Pace(Clock::duration price, unsigned burst)
        : price_(price)
        , burst_(burst) {}

    // How long until it may be done again; zero: now.
    Clock::duration wait(Clock::time_point now) const {
        return std::max(paid_until_ - now - price_ * (burst_ - 1), Clock::duration::zero());
    }
    void take(Clock::time_point now) { paid_until_ = std::max(paid_until_, now) + price_; }
    bool is_idle(Clock::time_point now) const { return paid_until_ <= now; } // the whole burst is there

  private:
    Clock::duration price_;
    unsigned burst_;
    Clock::time_point paid_until_{}; // in the future by what was taken and not yet earned
};

} // namespace pgod

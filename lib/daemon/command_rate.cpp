#include "daemon/command_rate.hpp"

#include <algorithm>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;
constexpr auto price = std::chrono::nanoseconds(1s) / CommandRate::per_second;

} // namespace

bool CommandRate::take(const std::string& caller, Clock::time_point now) {
    if (paid_until_.size() >= max_callers)
        forget_idle(now);
    if (paid_until_.size() >= max_callers)
        paid_until_.clear(); // more keys at work than anybody has: rather all have their burst again
    auto& paid = paid_until_[caller];
    paid = std::max(paid, now);
    if (paid - now > price * (burst - 1))
        return false;
    paid += price;
    return true;
}

void CommandRate::forget_idle(Clock::time_point now) {
    std::erase_if(paid_until_, [now](const auto& entry) { return entry.second <= now; });
}

} // namespace pgod::daemon

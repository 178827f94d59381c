#include "daemon/command_rate.hpp"

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;
constexpr auto price = std::chrono::nanoseconds(1s) / CommandRate::per_second;

} // namespace

bool CommandRate::take(const std::string& caller, Clock::time_point now) {
    if (paces_.size() >= max_callers)
        forget_idle(now);
    if (paces_.size() >= max_callers)
        paces_.clear(); // more keys at work than anybody has: rather all have their burst again
    Pace& pace = paces_.try_emplace(caller, price, burst).first->second;
    if (pace.wait(now) > 0s)
        return false;
    pace.take(now);
    return true;
}

void CommandRate::forget_idle(Clock::time_point now) {
    std::erase_if(paces_, [now](const auto& entry) { return entry.second.is_idle(now); });
}

} // namespace pgod::daemon

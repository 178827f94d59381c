#include "core/reconcile_reason.hpp"

#include <fmt/format.h>

namespace pgod::reconcile {

std::string brief(const std::string& commit) {
    return commit.substr(0, 8);
}

std::string why_not_deploy(const State& state, const Settings& settings, Time now) {
    if (state.durable.intent.desired != Desired::running)
        return fmt::format("desired is {}: {} is not deployed until up",
                           name_of(state.durable.intent.desired), brief(state.tip));
    if (state.needs_deploy)
        return {};
    if (state.next_deploy && now < *state.next_deploy)
        return fmt::format("{} failed and is tried again later: {}", brief(state.tip), state.durable.reason);
    if (state.next_deploy)
        return {};
    if (state.tip == state.durable.settled && !state.durable.reason.empty())
        return fmt::format("{} was {} and is not tried again by itself: {}", brief(state.tip),
                           name_of(state.durable.outcome.value_or(Outcome::failed)), state.durable.reason);
    if (state.tip == state.durable.settled)
        return brief(state.tip) + " runs already";
    if (!settings.auto_deploy)
        return brief(state.tip) + " waits for up, because auto = false";
    return {};
}

} // namespace pgod::reconcile

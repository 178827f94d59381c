#include "core/reconcile_reason.hpp"

#include "core/quarantine.hpp"
#include "core/time_text.hpp"

#include <fmt/format.h>

namespace pgod::reconcile {

std::string brief(const std::string& commit) {
    return commit.substr(0, 8);
}

std::string why_suspended(const Suspension& suspension) {
    return fmt::format("it is suspended by {} since {}{}{}", suspension.by, utc_text(suspension.since),
                       suspension.until ? " until " + utc_text(*suspension.until) : std::string(),
                       suspension.reason.empty() ? std::string() : ": " + suspension.reason);
}

std::string why_it_runs(const std::string& commit) {
    return brief(commit) + " is what upstream has, and it runs";
}

std::string why_left_alone(const Quarantined& entry) {
    const std::string commit = brief(entry.commit);
    if (entry.held)
        return fmt::format("{} is held back since {}: {}; a newer commit, resume, retry or up --commit {} "
                           "ends that",
                           commit, utc_text(entry.since), entry.reason, commit);
    return fmt::format("{} is quarantined since {}: {}; it is left alone until a new commit, retry or up "
                       "--commit {}",
                       commit, utc_text(entry.since), entry.reason, commit);
}

std::string why_held(const std::string& commit, const Settings& settings) {
    return fmt::format("{} is not deployed: {}", brief(commit), settings.held_by);
}

bool waits_for_up(const State& state, const Settings& settings) {
    return !settings.auto_deploy && !state.next_deploy && state.tip != state.running &&
           state.tip != state.durable.settled;
}

std::string why_not_deploy(const State& state, const Settings& settings, Time now) {
    const Durable& durable = state.durable;
    if (durable.suspension)
        return fmt::format("{}; {} is not deployed until resume", why_suspended(*durable.suspension),
                           brief(state.tip));
    if (durable.intent.desired != Desired::running)
        return fmt::format("desired is {}{}: {} is not deployed until up", name_of(durable.intent.desired),
                           durable.intent.by.empty() ? std::string() : ", asked by " + durable.intent.by,
                           brief(state.tip));
    if (const auto* entry = find_quarantined(durable, state.tip))
        return why_left_alone(*entry);
    if (waits_for_up(state, settings))
        return brief(state.tip) + " waits for up, because auto = false";
    const bool settled = state.tip == durable.settled && !state.needs_deploy && !state.next_deploy;
    if (!settings.held_by.empty() && !settled)
        return why_held(state.tip, settings);
    if (state.needs_deploy)
        return {};
    if (state.next_deploy && now < *state.next_deploy)
        return fmt::format("{} failed and is tried again at {}: {}", brief(state.tip),
                           utc_text(*state.next_deploy), durable.reason);
    if (state.next_deploy)
        return {};
    if (state.tip == durable.settled && !durable.reason.empty())
        return fmt::format("{} was {} and is not tried again by itself: {}", brief(state.tip),
                           name_of(durable.outcome.value_or(Outcome::failed)), durable.reason);
    if (state.tip == durable.settled)
        return why_it_runs(state.tip);
    return {};
}

} // namespace pgod::reconcile

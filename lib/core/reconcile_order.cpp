#include "core/reconcile_order.hpp"

#include "core/reconcile_reason.hpp"

#include <fmt/format.h>

namespace pgod::reconcile {

namespace {

// Its containers will be other ones when this is over.
bool changes_containers(const State& state) {
    if (state.phase != Phase::exporting && state.phase != Phase::queued && state.phase != Phase::working)
        return false;
    switch (*state.work) {
    case Work::deploy:
    case Work::rollback:
    case Work::heal:
    case Work::start:
    case Work::stop:
    case Work::restart:
    case Work::down:
        return true;
    case Work::pull:
    case Work::build:
    case Work::plan:
    case Work::check:
        return false;
    }
    return false;
}

// …and are as they were until then, however long it takes: a commit is staged, fetched and built.
bool only_prepares(const State& state) {
    return state.work == Work::deploy && !(state.phase == Phase::working && state.reach == Reach::changing);
}

// What will pass by itself, within the deadlines of what it does; empty: nothing.
std::string_view what_it_does(const State* state) {
    if (state == nullptr || state->phase == Phase::recovering)
        return "has only just begun";
    if (state->phase == Phase::unavailable)
        return {};
    if (changes_containers(*state))
        return "is being worked on";
    // A commit that came while pgod was away is seen by this.
    if (!state->synced && state->sync_error.empty())
        return "asks upstream for the first time";
    if (!state->running.empty() && state->health == Health::progressing)
        return "is starting";
    return {};
}

// …within minutes.
bool is_unsettled(const State* state) {
    if (state == nullptr || state->phase == Phase::recovering)
        return true;
    const bool changes = changes_containers(*state) && !only_prepares(*state);
    return changes || (!state->running.empty() && state->health == Health::progressing);
}

// What somebody has to mend or decide; empty: it stands.
std::string what_is_wrong(const State& state) {
    const Durable& durable = state.durable;
    if (state.phase == Phase::unavailable)
        return "cannot be served: " + state.unavailable;
    if (durable.intent.desired != Desired::running)
        return fmt::format("is {}", name_of(durable.intent.desired));
    if (durable.outcome && *durable.outcome != Outcome::ok && *durable.outcome != Outcome::superseded)
        return fmt::format("has a deployment that was {}", name_of(*durable.outcome));
    if (state.running.empty())
        return "was never deployed";
    if (state.health != Health::healthy)
        return fmt::format("is {}", name_of(state.health));
    return {};
}

} // namespace

void look_at_other(Settings& settings, std::string_view name, const State* other) {
    const auto does = what_it_does(other);
    if (!does.empty()) {
        const auto sentence = fmt::format("{}, which it comes after, {}", name, does);
        if (settings.awaits.empty())
            settings.awaits = sentence;
        if (settings.unsettled.empty() && is_unsettled(other))
            settings.unsettled = sentence;
        return;
    }
    const auto wrong = what_is_wrong(*other);
    if (!wrong.empty() && settings.held_by.empty())
        settings.held_by = fmt::format("{}, which it comes after, {}", name, wrong);
}

} // namespace pgod::reconcile

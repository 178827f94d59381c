#include "core/reconcile_order.hpp"

#include "core/reconcile_reason.hpp"

#include <fmt/format.h>

namespace pgod::reconcile {

namespace {

// Its containers may be other ones in a moment.
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
        if (settings.awaits.empty())
            settings.awaits = fmt::format("{}, which it comes after, {}", name, does);
        return;
    }
    const auto wrong = what_is_wrong(*other);
    if (!wrong.empty() && settings.held_by.empty())
        settings.held_by = fmt::format("{}, which it comes after, {}", name, wrong);
}

} // namespace pgod::reconcile

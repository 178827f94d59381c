#include "core/reconcile_order.hpp"

#include <utility>

namespace pgod::reconcile {

namespace {

// Its containers will be other ones when this is over.
bool changes_containers(const State& state) {
    const auto work = work_of(state);
    if (!work)
        return false;
    switch (*work) {
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
    const auto* working = std::get_if<phase::Working>(&state.phase);
    return work_of(state) == Work::deploy && (working == nullptr || working->reach != Reach::changing);
}

std::optional<Passing::What> what_it_does(const State* state) {
    if (state == nullptr || is_in<phase::Recovering>(*state))
        return Passing::What::beginning;
    if (!why_unavailable(*state).empty())
        return std::nullopt;
    if (changes_containers(*state))
        return Passing::What::working;
    // A commit that came while pgod was away is seen by this.
    if (!state->synced && state->sync_error.empty())
        return Passing::What::asking_upstream;
    if (!state->running.empty() && state->health == Health::progressing)
        return Passing::What::starting;
    return std::nullopt;
}

// That ends within minutes.
bool is_unsettled(const State* state) {
    if (state == nullptr || is_in<phase::Recovering>(*state))
        return true;
    const bool changes = changes_containers(*state) && !only_prepares(*state);
    return changes || (!state->running.empty() && state->health == Health::progressing);
}

std::optional<Lasting::What> what_is_wrong(const State& state) {
    const Durable& durable = state.durable;
    if (const auto& reason = why_unavailable(state); !reason.empty())
        return Lasting::Unavailable{reason};
    if (durable.intent.desired != Desired::running)
        return Lasting::Unwanted{durable.intent.desired};
    if (durable.outcome && *durable.outcome != Outcome::ok && *durable.outcome != Outcome::superseded)
        return Lasting::Failed{*durable.outcome};
    if (state.running.empty())
        return Lasting::NeverDeployed{};
    if (state.health != Health::healthy)
        return Lasting::Unhealthy{state.health};
    return std::nullopt;
}

} // namespace

void look_at_other(Settings& settings, std::string_view name, const State* other) {
    if (const auto does = what_it_does(other)) {
        const Passing passing{std::string(name), *does};
        if (!settings.awaits)
            settings.awaits = passing;
        if (!settings.unsettled && is_unsettled(other))
            settings.unsettled = passing;
        return;
    }
    auto wrong = what_is_wrong(*other);
    if (wrong && !settings.held_by)
        settings.held_by = Lasting{std::string(name), std::move(*wrong)};
}

} // namespace pgod::reconcile

#include "core/reconcile.hpp"

#include "core/backoff.hpp"
#include "core/exit_status.hpp"
#include "core/quarantine.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

const std::string nothing;

} // namespace

std::optional<Work> work_of(const State& state) {
    if (const auto* exporting = std::get_if<phase::Exporting>(&state.phase))
        return exporting->then;
    if (const auto* queued = std::get_if<phase::Queued>(&state.phase))
        return queued->work;
    if (const auto* working = std::get_if<phase::Working>(&state.phase))
        return working->work;
    return std::nullopt;
}

const std::string& commit_of(const State& state) {
    if (const auto* exporting = std::get_if<phase::Exporting>(&state.phase))
        return exporting->commit;
    if (const auto* queued = std::get_if<phase::Queued>(&state.phase))
        return queued->commit;
    if (const auto* working = std::get_if<phase::Working>(&state.phase))
        return working->commit;
    return nothing;
}

const std::string& why_unavailable(const State& state) {
    static const std::string unconfigured = no_longer_configured;
    if (const auto* unavailable = std::get_if<phase::Unavailable>(&state.phase))
        return unavailable->reason;
    return is_in<phase::StillThere>(state) || is_in<phase::Gone>(state) ? unconfigured : nothing;
}

void Stepper::on(const Available&) {
    if (!is_in<phase::Unavailable>(state_))
        return;
    enter(phase::Recovering{why_unavailable(state_)});
    act(Recover{});
}

void Stepper::on(const Unavailable& event) {
    if (is_in<phase::Gone>(state_))
        return;
    const auto* recovering = std::get_if<phase::Recovering>(&state_.phase);
    if ((recovering != nullptr ? recovering->unavailable : why_unavailable(state_)) != event.reason) {
        note(true, event.reason);
        decide(DecisionKind::unavailable, event.reason);
    }
    give_turn_up(event.reason);
    take_intent_back();
    tell_current(event.reason);
    finish_current(exit_status::failed);
    enter(phase::Unavailable{event.reason, event.user_gone});
    refuse_queue(event.reason);
    if (state_.removal && (event.user_gone || *state_.removal == Removal::leave_alone))
        retire();
}

void Stepper::retire() {
    enter(phase::Gone{});
    act(Retire{});
}

void Stepper::on(const Recovered& event) {
    if (!is_in<phase::Recovering>(state_))
        return;
    enter(phase::Idle{});
    state_.drift.asked = false; // this look took the place of one that was under way
    state_.running = event.running;
    state_.health = event.health;
    // What the record can mend needs neither upstream nor a registry, and not the tip either, which may be
    // held back or wait; so with a deployment that was cut off, whose commit comes back with the next sync.
    state_.needs_deploy = !event.running.empty() && !event.lost &&
                          (event.health == Health::missing || event.health == Health::degraded);
    if (state_.needs_deploy)
        state_.because = Trigger::start;
    state_.next_sync = now_;
    // pgod or its worker was killed in the middle of it, or before it began.
    if (state_.durable.stopping && !state_.removal && event.health != Health::missing)
        return start_work(*operation_of(*state_.durable.stopping).work);
    if (!state_.needs_deploy)
        mend(event);
    next();
}

// A service that waits for others is surveyed all the same, as often as it would be polled.
void Stepper::on(const Tick&) {
    if (is_in<phase::Queued>(state_) && now_ >= state_.next_sync) {
        state_.next_sync = now_ + jittered(settings_.interval, jitter_);
        return survey();
    }
    next();
}

// What was judged under the old settings is judged again; the worker touches nothing that need not
// change.
void Stepper::on(const Reconfigured& event) {
    if (is_in<phase::Gone>(state_))
        return;
    const Durable before = state_.durable;
    state_.durable.settled.clear();
    if (auto* working = std::get_if<phase::Working>(&state_.phase)) {
        working->settled_before.clear();
        working->rejudge = true;
    }
    state_.durable.waiting.clear();
    if (state_.durable != before) // else a crash before the deployment would leave the old settings in effect
        persist();
    state_.because = Trigger::config;
    state_.read_repository = true;
    state_.next_sync = std::min(state_.next_sync, now_);
    if (event.other_source)
        state_.tip.clear();
    state_.removal.reset();
    if (is_in<phase::StillThere>(state_)) {
        enter(phase::Recovering{});
        return act(Recover{});
    }
    next();
}

// What it changes comes to its end first, then it is taken down by the plan that it ran from.
void Stepper::on(const Removed& event) {
    if (is_in<phase::Gone>(state_))
        return;
    const bool first = !state_.removal;
    state_.removal = event.take_down ? Removal::take_down : Removal::leave_alone;
    if (first && event.take_down)
        note(false, "it is no longer configured and is taken down; its files and volumes stay");
    refuse_queue(no_longer_configured);
    give_turn_up(no_longer_configured);
    (void)cancel_work(no_longer_configured);
    if (is_in<phase::StillThere>(state_))
        enter(phase::Idle{}); // asked again
    if (const auto* unavailable = std::get_if<phase::Unavailable>(&state_.phase);
        unavailable != nullptr && (unavailable->user_gone || !event.take_down))
        return retire();
    next();
}

Step step(State state, const Settings& settings, const Event& event, Time now, double jitter) {
    Stepper stepper(std::move(state), settings, now, jitter);
    stepper.let_suspension_end();
    stepper.let_waits_end();
    std::visit([&stepper](const auto& happened) { stepper.on(happened); }, event);
    return std::move(stepper).take();
}

namespace {

std::optional<Time> due_by_itself(const State& state) {
    if (is_in<phase::Queued>(state))
        return state.next_sync;
    if (!is_in<phase::Idle>(state))
        return std::nullopt;
    const Durable& durable = state.durable;
    Time next = state.next_sync;
    if (durable.suspension)
        return durable.suspension->until ? std::min(next, *durable.suspension->until) : next;
    if (state.next_deploy && durable.intent.desired == Desired::running &&
        find_quarantined(durable, state.tip) == nullptr)
        next = std::min(next, *state.next_deploy);
    return next;
}

} // namespace

std::optional<Time> due(const State& state) {
    std::optional<Time> next = due_by_itself(state);
    const auto look = [&next](const PendingCommand& command) {
        if (command.id != 0 && command.deadline && (!next || *command.deadline < *next))
            next = command.deadline;
    };
    std::for_each(state.queue.begin(), state.queue.end(), look);
    std::for_each(state.followers.begin(), state.followers.end(), look);
    if (state.current)
        look(*state.current);
    return next;
}

} // namespace pgod::reconcile

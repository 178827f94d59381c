#include "core/reconcile.hpp"

#include "core/backoff.hpp"
#include "core/exit_status.hpp"
#include "core/quarantine.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

void Stepper::on(const Available&) {
    if (state_.phase != Phase::unavailable)
        return;
    state_.phase = Phase::recovering;
    act(Recover{});
}

void Stepper::on(const Unavailable& event) {
    if (state_.unavailable != event.reason) {
        note(true, event.reason);
        decide(DecisionKind::unavailable, event.reason);
    }
    state_.unavailable = event.reason;
    give_turn_up(event.reason);
    take_intent_back();
    tell_current(event.reason);
    finish_current(exit_status::failed);
    state_.phase = Phase::unavailable;
    state_.user_gone = event.user_gone;
    refuse_queue(event.reason);
    if (state_.removed && (event.user_gone || state_.left_alone))
        act(Retire{});
}

void Stepper::on(const Recovered& event) {
    if (state_.phase != Phase::recovering)
        return;
    state_.phase = Phase::idle;
    state_.drift.asked = false; // this look took the place of one that was under way
    state_.unavailable.clear();
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
    if (state_.durable.stopping && !state_.removed && event.health != Health::missing)
        return start_work(*operation_of(*state_.durable.stopping).work);
    if (!state_.needs_deploy)
        mend(event);
    next();
}

// A service that waits for others is surveyed all the same, as often as it would be polled.
void Stepper::on(const Tick&) {
    if (state_.phase == Phase::queued && now_ >= state_.next_sync) {
        state_.next_sync = now_ + jittered(settings_.interval, jitter_);
        return survey();
    }
    next();
}

// What was judged under the old settings is judged again; the worker touches nothing that need not
// change.
void Stepper::on(const Reconfigured& event) {
    state_.durable.settled.clear();
    state_.settled_before.clear();
    state_.durable.waiting.clear();
    state_.because = Trigger::config;
    state_.rejudge = state_.phase == Phase::working;
    state_.read_repository = true;
    state_.next_sync = std::min(state_.next_sync, now_);
    if (event.other_source)
        state_.tip.clear();
    state_.left_alone = false;
    if (std::exchange(state_.removed, false) && std::exchange(state_.take_down_failed, false)) {
        state_.phase = Phase::recovering;
        return act(Recover{});
    }
    next();
}

// What it changes comes to its end first, then it is taken down by the plan that it ran from.
void Stepper::on(const Removed& event) {
    state_.left_alone = !event.take_down;
    if (!std::exchange(state_.removed, true) && event.take_down)
        note(false, "it is no longer configured and is taken down; its files and volumes stay");
    refuse_queue(no_longer_configured);
    give_turn_up(no_longer_configured);
    (void)cancel_work(no_longer_configured);
    if (std::exchange(state_.take_down_failed, false))
        state_.phase = Phase::idle; // asked again
    if (state_.phase == Phase::unavailable && (state_.user_gone || state_.left_alone))
        return act(Retire{});
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
    if (state.phase == Phase::queued)
        return state.next_sync;
    if (state.phase != Phase::idle)
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

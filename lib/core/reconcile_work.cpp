#include "core/backoff.hpp"
#include "core/exit_status.hpp"
#include "core/quarantine.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

constexpr unsigned max_lost_stops = 3; // workers in a row; then it is left to the operator, who was told

} // namespace

void Stepper::begin_work(Work work) {
    auto& working = state_.phase.emplace<phase::Working>(
        phase::Working{.work = work,
                       .commit = target_,
                       .reach = place_of(work) == Place::preparing ? Reach::preparing : Reach::changing});
    state_.drift.asked = false;
    if (work != Work::heal && work != Work::plan && work != Work::check)
        state_.drift = {};
    StartWork start;
    start.work = work;
    start.place = place_of(work);
    start.commit = needs_tip(work) ? target_ : std::string();
    start.command = current_id();
    if (state_.current) {
        start.args = state_.current->args;
        start.json = state_.current->json;
        start.who = state_.current->who;
    }
    if (work == Work::rollback) {
        start.deployment = ++state_.durable.deployments;
        start.trigger = Trigger::rollback;
        decide(DecisionKind::deploying,
               fmt::format("an earlier version is being brought back, number {}, asked by {}",
                           start.deployment, start.who));
        persist();
    }
    if (work == Work::deploy) {
        // Whatever becomes of this one: no commit is known to stand as it should until it has ended.
        working.settled_before = std::exchange(state_.durable.settled, {});
        persist();
        note_superseded();
        start.deployment = ++state_.durable.deployments;
        start.trigger = trigger();
        state_.because.reset();
        decide(DecisionKind::deploying,
               fmt::format("{} is being deployed, number {} ({}{})", brief(target_), start.deployment,
                           name_of(start.trigger), start.who.empty() ? "" : ", asked by " + start.who),
               target_);
    }
    const auto deployment = start.deployment;
    act(std::move(start));
    for (const auto& command : state_.followers)
        if (deployment != 0 && command.id != 0)
            act(Attach{command.id, deployment});
}

Trigger Stepper::trigger() const {
    if (!state_.current)
        return state_.because.value_or(Trigger::poll);
    return state_.current->op == Op::retry ? Trigger::retry : Trigger::command;
}

void Stepper::on(const WorkEnded& event) {
    auto* working = std::get_if<phase::Working>(&state_.phase);
    if (working == nullptr)
        return;
    const phase::Working ended = std::move(*working);
    enter(phase::Idle{});
    if (ended.reach == Reach::at_gate && !ended.cancelling)
        act(LeaveTurn{});
    const Work work = ended.work;
    if (ended.cancelling && event.outcome == Outcome::cancelled)
        return on_cancelled(ended);
    state_.running = event.running;
    state_.health = event.health;
    if (state_.removal && work == Work::down)
        return on_taken_down(event);
    const bool lost = !event.outcome && event.error && event.error->code == Code::internal;
    if (lost && (work == Work::deploy || work == Work::rollback))
        return on_worker_lost(ended, *event.error);
    if (work == Work::down || work == Work::stop)
        if (on_stopped(event))
            return;
    if (work == Work::deploy)
        on_deployed(ended, event);
    if (work == Work::rollback)
        on_rolled_back(ended, event);
    if (work == Work::check && current_op().value_or(Op::sync) == Op::sync)
        on_previewed(event);
    if (work == Work::heal)
        on_healed(event);
    const bool nothing_to_start = work == Work::start && event.error && event.error->code == Code::gone;
    if (event.exit_status == exit_status::usage || nothing_to_start)
        take_intent_back();
    end_current(event.exit_status);
}

void Stepper::on_deployed(const phase::Working& ended, const WorkEnded& event) {
    const Outcome outcome = event.outcome.value_or(event.error ? Outcome::failed : Outcome::ok);
    // The class of the cause decides whether the commit is tried again without anybody asking; but what has
    // stopped containers and waited for new ones in vain would do so each time.
    const bool touched = outcome == Outcome::rolled_back || event.exit_status == exit_status::unhealthy;
    const bool again = event.error && (event.error->code == Code::transient ||
                                       (event.error->code == Code::timeout && !touched));
    settle(outcome, event.error, again, ended.rejudge ? Rejudge::yes : Rejudge::no);
    state_.needs_deploy = false;
}

// By hand: what is left behind is held back. One that could not begin changed nothing.
void Stepper::on_rolled_back(const phase::Working& ended, const WorkEnded& event) {
    if (event.exit_status == exit_status::rejected)
        return take_intent_back();
    const Outcome outcome = event.outcome.value_or(event.error ? Outcome::failed : Outcome::ok);
    state_.durable.outcome = outcome;
    state_.durable.reason = event.error ? event.error->message : std::string();
    persist();
    if (outcome != Outcome::ok) {
        const auto sentence = fmt::format("going back was {}: {}", name_of(outcome), state_.durable.reason);
        note(true, sentence);
        return decide(DecisionKind::rollback_failed, sentence);
    }
    state_.needs_deploy = false;
    state_.deploy_failures = 0;
    state_.next_deploy.reset();
    state_.durable.last_good = state_.running;
    state_.durable.settled = ended.rejudge ? std::string() : state_.running;
    note(false, brief(state_.running) + " runs again");
    if (!state_.tip.empty() && state_.running != state_.tip) {
        quarantine(state_.durable,
                   {state_.tip,
                    fmt::format("rolled back by {} to {}", state_.current->who, brief(state_.running)), now_,
                    true});
        persist();
        const InQuarantine decision(*find_quarantined(state_.durable, state_.tip));
        note(false, text_of(decision));
        decide(decision);
        return tell_current(text_of(decision));
    }
    lift_quarantine(state_.durable, state_.running);
    decide(UpToDate{state_.running});
}

// auto = false: the tip was staged and judged, and now it waits.
void Stepper::on_previewed(const WorkEnded& event) {
    const bool rejected = event.exit_status == exit_status::rejected;
    std::string sentence = text_of(WaitsForUp{target_});
    if (event.error)
        sentence += fmt::format("; {}: {}", rejected ? "it would be rejected" : "it could not be judged",
                                event.error->message);
    if (rejected || !event.error) {
        state_.durable.waiting = target_;
        persist();
    }
    if (sentence != state_.durable.decision.sentence) // the log says it once
        note(event.error.has_value(), sentence);
    decide(WaitsForUp::kind, sentence, target_);
    tell_current(sentence);
}

// Nobody knows how far it came: the containers are looked at, and the commit is tried again.
void Stepper::on_worker_lost(const phase::Working& ended, const Error& error) {
    if (ended.work == Work::deploy)
        settle(Outcome::failed, error, true, ended.rejudge ? Rejudge::yes : Rejudge::no);
    finish_current(exit_status::internal);
    enter(phase::Recovering{});
    act(Recover{});
}

// What a worker left unfinished when it was lost is done again; true: so it is. Any other end was told.
bool Stepper::on_stopped(const WorkEnded& event) {
    if (!state_.durable.stopping)
        return false;
    const bool lost = event.error && event.error->code == Code::internal;
    if (lost && ++state_.lost_stops < max_lost_stops) {
        finish_current(exit_status::internal);
        enter(phase::Recovering{});
        act(Recover{});
        return true;
    }
    state_.lost_stops = 0;
    state_.durable.stopping.reset();
    persist();
    return false;
}

// A service that could not be taken down is tried again with the next SIGHUP or start of pgod.
void Stepper::on_taken_down(const WorkEnded& event) {
    finish_current(event.exit_status);
    if (event.exit_status == exit_status::done)
        return retire();
    enter(phase::StillThere{});
    note(true,
         "could not be taken down: " + (event.error ? event.error->message : std::string("no reason given")));
}

void Stepper::settle(Outcome outcome, const std::optional<Error>& error, bool again, Rejudge rejudge) {
    Durable& durable = state_.durable;
    durable.outcome = outcome;
    durable.reason = error ? error->message : std::string();
    if (durable.waiting == target_)
        durable.waiting.clear();
    if (again && target_ == state_.tip) {
        try_later();
    } else {
        state_.deploy_failures = 0;
        state_.next_deploy.reset();
        durable.settled = rejudge == Rejudge::yes ? std::string() : target_;
    }
    if (!again && (outcome == Outcome::failed || outcome == Outcome::rolled_back))
        quarantine(durable, {target_, durable.reason, now_});
    persist();
    if (outcome == Outcome::ok) {
        durable.last_good = target_;
        lift_quarantine(durable, target_);
        note(false, brief(target_) + " runs");
        tell_followers(brief(target_) + " runs");
        return decide(UpToDate{target_});
    }
    const auto* entry = find_quarantined(durable, target_);
    const bool left_down = entry != nullptr && state_.running.empty();
    const auto failure =
        fmt::format("{} was {}: {}{}", brief(target_), name_of(outcome), durable.reason,
                    left_down ? "; there is no version to go back to, so the service is left down" : "");
    note(true, failure);
    tell_followers(failure);
    if (entry == nullptr)
        return decide(decide_on_tip(state_, settings_, now_));
    std::string sentence = text_of(InQuarantine(*entry)) + (left_down ? "; the service is left down" : "");
    tell_current(sentence);
    decide(InQuarantine::kind, std::move(sentence), target_);
}

// For a cause that may pass, later each time.
void Stepper::try_later() {
    ++state_.deploy_failures;
    state_.next_deploy =
        now_ + backoff(state_.deploy_failures, first_retry,
                       std::max<std::chrono::milliseconds>(settings_.interval, first_retry), jitter_);
}

} // namespace pgod::reconcile

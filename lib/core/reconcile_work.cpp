#include "core/backoff.hpp"
#include "core/exit_status.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

void Stepper::start_work(Work work) {
    state_.phase = Phase::working;
    state_.work = work;
    if (work == Work::deploy) {
        state_.rejudge = false;
        ++state_.durable.deployments;
        act(Persist{});
    }
    act(StartWork{work, needs_tip(work) ? state_.target : std::string(),
                  work == Work::deploy ? state_.durable.deployments : 0, current_id(),
                  state_.current ? state_.current->args : std::vector<std::string>{},
                  state_.current && state_.current->json, state_.current ? Trigger::command : Trigger::poll,
                  state_.current ? state_.current->who : std::string()});
}

void Stepper::on(const WorkEnded& event) {
    if (state_.phase != Phase::working)
        return;
    state_.phase = Phase::idle;
    const Work work = *state_.work;
    state_.work.reset();
    state_.running = event.running;
    state_.health = event.health;
    if (state_.removed && work == Work::down)
        return on_taken_down(event);
    if (work == Work::deploy && !event.outcome && event.error && event.error->code == Code::internal)
        return on_worker_lost(*event.error);
    if (work == Work::deploy)
        on_deployed(event);
    const bool nothing_to_start = work == Work::start && event.error && event.error->code == Code::gone;
    if (event.exit_status == exit_status::usage || nothing_to_start)
        take_intent_back();
    end_current(event.exit_status);
}

void Stepper::on_deployed(const WorkEnded& event) {
    const Outcome outcome = event.outcome.value_or(event.error ? Outcome::failed : Outcome::ok);
    // The class of the cause decides whether the commit is tried again without anybody asking.
    const bool again =
        event.error && (event.error->code == Code::transient || event.error->code == Code::timeout);
    settle(outcome, event.error, again);
    state_.needs_deploy = false;
}

// Nobody knows how far it came: the containers are looked at, and the commit is tried again.
void Stepper::on_worker_lost(const Error& error) {
    settle(Outcome::failed, error, true);
    finish(current_id(), exit_status::internal);
    state_.current.reset();
    state_.phase = Phase::recovering;
    act(Recover{});
}

// A service that could not be taken down is tried again with the next SIGHUP or start of pgod.
void Stepper::on_taken_down(const WorkEnded& event) {
    finish(current_id(), event.exit_status);
    state_.current.reset();
    state_.phase = Phase::unavailable;
    state_.unavailable = no_longer_configured;
    if (event.exit_status == exit_status::done)
        return act(Retire{});
    state_.take_down_failed = true;
    note(true,
         "could not be taken down: " + (event.error ? event.error->message : std::string("no reason given")));
}

void Stepper::settle(Outcome outcome, const std::optional<Error>& error, bool again) {
    state_.durable.outcome = outcome;
    state_.durable.reason = error ? error->message : std::string();
    if (again) {
        ++state_.deploy_failures;
        state_.next_deploy =
            now_ + backoff(state_.deploy_failures, first_retry,
                           std::max<std::chrono::milliseconds>(settings_.interval, first_retry), jitter_);
    } else {
        state_.deploy_failures = 0;
        state_.next_deploy.reset();
        state_.durable.settled = std::exchange(state_.rejudge, false) ? std::string() : state_.target;
    }
    if (outcome == Outcome::ok)
        state_.durable.last_good = state_.target;
    act(Persist{});
    if (outcome == Outcome::ok)
        note(false, brief(state_.target) + " runs");
    else
        note(true,
             fmt::format("{} was {}: {}", brief(state_.target), name_of(outcome), state_.durable.reason));
}

} // namespace pgod::reconcile

#include "core/backoff.hpp"
#include "core/exit_status.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

constexpr std::chrono::minutes longest_retry{5}; // and never later than the poll interval

} // namespace

void Stepper::on(const SyncEnded& event) {
    if (state_.phase != Phase::syncing)
        return;
    if (state_.read_repository) // the settings changed meanwhile: perhaps this was another upstream
        return start_sync();
    state_.phase = Phase::idle;
    remember_sync(event);
    const std::optional<Op> op = current_op();
    if (state_.tip.empty() || (event.error && op == Op::sync)) {
        if (event.error)
            tell_current(event.error->message);
        return end_current(exit_status::failed);
    }
    if (event.error && op)
        tell_current(event.error->message + "; going on with " + brief(state_.tip) + ", fetched last");
    if (op && op != Op::sync)
        return export_tip();
    if (const auto reason = why_not_deploy(state_, settings_, now_); !reason.empty()) {
        tell_current(reason);
        return end_current(exit_status::done);
    }
    export_tip();
}

void Stepper::start_sync() {
    state_.phase = Phase::syncing;
    act(StartSync{std::exchange(state_.read_repository, false) ? std::string() : state_.tip});
}

void Stepper::remember_sync(const SyncEnded& event) {
    const std::string error = event.error ? event.error->message : std::string();
    if (event.tip != state_.tip && !event.tip.empty()) {
        note(false, state_.tip.empty()
                        ? "upstream is at " + brief(event.tip)
                        : "upstream moved from " + brief(state_.tip) + " to " + brief(event.tip));
        state_.tip = event.tip;
        state_.deploy_failures = 0;
        state_.next_deploy.reset();
    }
    if (event.error) {
        if (error != state_.sync_error) // the same failure is said once, not at every poll
            note(true, error);
        ++state_.sync_failures;
    } else {
        if (!state_.sync_error.empty())
            note(false, "upstream answers again");
        state_.sync_failures = 0;
        state_.synced = now_;
    }
    state_.sync_error = error;
    const auto interval = settings_.interval;
    // Nothing was ever fetched: hurry, but never beyond the poll interval.
    const bool first = state_.tip.empty() && event.error;
    state_.next_sync =
        now_ + (first ? backoff(state_.sync_failures, first_retry,
                                std::min<std::chrono::milliseconds>(interval, longest_retry), jitter_)
                      : jittered(interval, jitter_));
}

void Stepper::export_tip() {
    state_.phase = Phase::exporting;
    state_.target = state_.tip;
    act(StartExport{state_.tip});
}

void Stepper::on(const ExportEnded& event) {
    if (state_.phase != Phase::exporting)
        return;
    const Op op = current_op().value_or(Op::sync);
    if (event.error) {
        state_.phase = Phase::idle;
        state_.read_repository = true;
        tell_current(event.error->message);
        // What is wrong with the commit itself stays wrong; all else is the repository's or the host's.
        const bool rejected = event.error->code == Code::permanent || event.error->code == Code::invalid;
        if (operation_of(op).work == Work::deploy)
            settle(rejected ? Outcome::rejected : Outcome::failed, event.error, !rejected);
        return end_current(rejected ? exit_status::rejected : exit_status::failed);
    }
    // A `down` may have come while the commit was exported; a poll must not undo it.
    if (op == Op::sync && state_.durable.intent.desired != Desired::running) {
        state_.phase = Phase::idle;
        return end_current(exit_status::done);
    }
    start_work(*operation_of(op).work);
}

} // namespace pgod::reconcile

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

constexpr std::chrono::minutes longest_retry{5}; // and never later than the poll interval

} // namespace

void Stepper::on(const SyncEnded& event) {
    const bool beside = std::exchange(state_.asking_beside, false);
    if (beside && !is_in<phase::Syncing>(state_))
        return on_asked_beside(event);
    if (!is_in<phase::Syncing>(state_))
        return;
    if (state_.read_repository) // the settings changed meanwhile: perhaps this was another upstream
        return start_sync();
    enter(phase::Idle{});
    const bool answers_again = !state_.sync_error.empty() && !event.error;
    remember_sync(event);
    if (state_.removal)
        return give_up_removed();
    const std::optional<Op> op = current_op();
    if (op == Op::rollback)
        return start_work(Work::rollback);
    if (!op && !state_.queue.empty()) // who waits goes first, and asks again
        return end_current(exit_status::done);
    if (state_.tip.empty() || (event.error && op == Op::sync)) {
        if (event.error) {
            tell_current(event.error->message);
            decide(DecisionKind::no_tip, "upstream gave no commit: " + event.error->message);
        }
        survey();
        return end_current(exit_status::failed);
    }
    if (event.error && op)
        tell_current(event.error->message + "; going on with " + brief(state_.tip) + ", fetched last");
    if (op && op != Op::sync)
        return go_on_with_command();
    const TipDecision decision = decide_on_tip(state_, settings_, now_);
    if (deploys(decision))
        return start_export(state_.tip, Work::deploy);
    const bool waits_for_up = std::holds_alternative<WaitsForUp>(decision);
    if (waits_for_up && state_.durable.waiting != state_.tip)
        return start_export(state_.tip, Work::check);
    const std::string reason = text_of(decision);
    tell_current(reason);
    if (std::holds_alternative<HeldBy>(decision) && !decided(HeldBy::kind, state_.tip))
        note(true, reason); // the log says it once
    if (event.error)
        decide(kind_of(decision), reason + "; upstream was asked in vain: " + event.error->message,
               state_.tip);
    else if (!waits_for_up || answers_again || !decided(WaitsForUp::kind, state_.tip)) // else: its preview
        decide(decision);
    survey();
    end_current(exit_status::done);
}

// What a command that is not `sync` is done to: the tip, or the commit that it names.
void Stepper::go_on_with_command() {
    const PendingCommand& command = *state_.current;
    const std::string& named = command.commit;
    const Work work = *operation_of(command.op).work;
    if (command.op != Op::up)
        return start_export(named.empty() ? state_.tip : named, work, !named.empty());
    const auto* entry = find_quarantined(state_.durable, state_.tip);
    // The tip has what was committed before it, too.
    if (entry == nullptr || (!named.empty() && state_.tip.starts_with(named)))
        return start_export(state_.tip, work);
    queue_followers_again();
    if (named.empty())
        return refuse_current(text_of(InQuarantine(*entry)));
    tell_current(text_of(InQuarantine(*entry)));
    start_export(named, work, true);
}

void Stepper::start_sync() {
    enter(phase::Syncing{});
    act(StartSync{std::exchange(state_.read_repository, false) ? std::string() : state_.tip});
}

void Stepper::remember_sync(const SyncEnded& event) {
    const std::string error = event.error ? event.error->message : std::string();
    if (event.tip != state_.tip && !event.tip.empty()) {
        note(false, state_.tip.empty()
                        ? "upstream is at " + brief(event.tip)
                        : "upstream moved from " + brief(state_.tip) + " to " + brief(event.tip));
        state_.tip = event.tip;
        if (!state_.durable.waiting.empty() && state_.durable.waiting != event.tip) {
            state_.durable.waiting.clear();
            persist();
        }
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

// Nothing new is begun for a service that is no longer configured.
void Stepper::give_up_removed() {
    give_up(no_longer_configured);
    next();
}

void Stepper::start_export(const std::string& commit, Work then, bool on_branch) {
    target_ = commit;
    enter(phase::Exporting{then, commit});
    StartExport start{commit, on_branch, {}, state_.running};
    const auto look = [&start](const PendingCommand& one) {
        if (one.op == Op::up && !one.commit.empty())
            start.named.push_back(one.commit);
    };
    if (state_.current)
        look(*state_.current);
    std::for_each(state_.followers.begin(), state_.followers.end(), look);
    act(std::move(start));
}

void Stepper::on(const ExportEnded& event) {
    const auto* exporting = std::get_if<phase::Exporting>(&state_.phase);
    if (exporting == nullptr)
        return;
    const Work then = exporting->then;
    if (state_.removal) {
        enter(phase::Idle{});
        return give_up_removed();
    }
    if (event.error)
        return on_not_exported(*event.error);
    if (!event.commit.empty()) // its first digits became all of them
        target_ = event.commit;
    if (!take_named(event.named))
        return;
    if (state_.current && state_.current->serves && target_ != state_.tip &&
        state_.health == Health::healthy) {
        enter(phase::Idle{});
        target_ = state_.running;
        return end_current(exit_status::done);
    }
    const Op op = current_op().value_or(Op::sync);
    // A `down` or `suspend` may have come while the commit was exported; a poll must not undo it.
    if (op == Op::sync && (state_.durable.intent.desired != Desired::running || state_.durable.suspension)) {
        enter(phase::Idle{});
        tell_current(text_of(decide_on_tip(state_, settings_, now_)));
        return end_current(exit_status::done);
    }
    const bool asked_for = op == Op::retry || (op == Op::up && !state_.current->commit.empty());
    if (asked_for && lift_quarantine(state_.durable, target_)) {
        note(false, brief(target_) + " is quarantined no longer, asked by " + state_.current->who);
        persist();
    }
    start_work(then);
}

void Stepper::on_not_exported(const Error& error) {
    const auto work = work_of(state_);
    enter(phase::Idle{});
    const bool named = state_.current && !state_.current->commit.empty() && target_ != state_.tip;
    if (named && error.code == Code::gone) // it is not on the branch, or its first digits are two commits'
        return refuse_current(error.message);
    state_.read_repository = true;
    tell_current(error.message);
    // What is wrong with the commit itself stays wrong; all else is the repository's or the host's.
    const bool rejected = error.code == Code::permanent || error.code == Code::invalid;
    if (work == Work::deploy)
        settle(rejected ? Outcome::rejected : Outcome::failed, error, !rejected, Rejudge::no);
    else if (!state_.current || state_.current->op == Op::sync)
        decide(WaitsForUp::kind,
               fmt::format("{} waits for up, but could not be staged: {}", brief(target_), error.message),
               target_);
    end_current(rejected ? exit_status::rejected : exit_status::failed);
}

} // namespace pgod::reconcile

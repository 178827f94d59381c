#include "base/text.hpp"
#include "core/exit_status.hpp"
#include "core/intent_options.hpp"
#include "core/quarantine.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

constexpr std::size_t max_queue = 32; // commands that may wait for one service

} // namespace

void Stepper::on(const CommandArrived& event) {
    PendingCommand command = event.command;
    command.who = event.who;
    command.since = now_;
    if (state_.removal)
        return refuse(command.id, no_longer_configured);
    if (command.op == Op::suspend)
        return suspend(command);
    if (command.op == Op::resume)
        return resume(command);
    if (is_in<phase::Unavailable>(state_))
        return refuse(command.id, why_unavailable(state_));
    if (auto taken = take_options(command); !taken) {
        tell(command.id, taken.error().message);
        return finish(command.id, exit_status::usage);
    }
    if (state_.queue.size() >= max_queue) {
        tell(command.id, "too many commands wait for this service; try again later");
        return finish(command.id, exit_status::busy);
    }
    if (state_.durable.suspension && deploys_tip(command.op)) {
        tell(command.id, text_of(*state_.durable.suspension) + "; resume it first, or say up --resume");
        return end(command, exit_status::rejected, command.commit);
    }
    drop_healing();
    if (command.op == Op::down || command.op == Op::stop) {
        const auto reason = fmt::format("{} was asked for by {}", operation_of(command.op).name, command.who);
        give_turn_up(reason);
        (void)cancel_work(reason);
    }
    state_.queue.push_back(std::move(command));
    note_intent(state_.queue.back());
    make_way();
    if (!is_idle() && !join_deployment())
        tell(event.command.id, "waiting for what the service is doing now");
    next();
    for (auto& waiting : state_.queue)
        let_go(waiting);
}

// `up --resume` ends a suspension as soon as it comes, as `resume` does.
Status Stepper::take_options(PendingCommand& command) {
    if (command.op == Op::up) {
        auto options = TRY(parse_up(command.args));
        command.commit = std::move(options.commit);
        command.wait = options.wait;
        if (options.timeout)
            command.deadline = now_ + *options.timeout;
        command.args.clear();
        if (options.resume)
            end_suspension("resumed by " + command.who);
    }
    if ((command.op == Op::plan || command.op == Op::check) && !command.args.empty())
        command.commit = TRY(parse_commit(command.args.front()));
    if (command.op == Op::rollback && !command.args.empty() && !parse_decimal(command.args.front()))
        command.args.front() = TRY(parse_commit(command.args.front()));
    return ok();
}

void Stepper::suspend(const PendingCommand& command) {
    auto options = parse_suspend(command.args, now_);
    if (!options) {
        tell(command.id, options.error().message);
        return finish(command.id, exit_status::usage);
    }
    state_.durable.suspension = Suspension{command.who, now_, options->until, std::move(options->reason)};
    persist();
    const std::string sentence = text_of(*state_.durable.suspension);
    note(false, sentence);
    decide(DecisionKind::suspended, sentence);
    tell(command.id, sentence + "; containers stay as they are, commits are fetched but not deployed");
    if (work_of(state_) != Work::rollback)
        give_turn_up(sentence);
    if (!cancel_work(sentence) && is_in<phase::Working>(state_))
        tell(command.id, "what the service is doing now comes to its end first");
    finish(command.id, exit_status::done);
    next();
}

void Stepper::resume(const PendingCommand& command) {
    const bool resumed = end_suspension("resumed by " + command.who);
    const bool released = release_held(state_.durable);
    if (released) {
        persist();
        note(false, "what was held back is held back no longer, asked by " + command.who);
    }
    if (resumed || released)
        state_.next_sync = now_;
    tell(command.id, resumed || released ? "resumed: upstream is asked now"
                                         : "it was not suspended, and no commit is held back");
    finish(command.id, exit_status::done);
    next();
}

bool Stepper::end_suspension(const std::string& how) {
    if (!state_.durable.suspension)
        return false;
    state_.durable.suspension.reset();
    persist();
    note(false, how);
    decide(DecisionKind::resumed, how);
    return true;
}

void Stepper::let_suspension_end() {
    const auto& suspension = state_.durable.suspension;
    if (suspension && suspension->until && now_ >= *suspension->until &&
        end_suspension("the suspension by " + suspension->by + " ended by itself"))
        state_.next_sync = now_;
}

// Nothing was touched, and nothing was asked for either.
void Stepper::refuse_current(const std::string& reason) {
    enter(phase::Idle{});
    tell_current(reason);
    take_intent_back();
    end_current(exit_status::rejected);
}

void Stepper::refuse(CommandId command, const std::string& reason) {
    tell(command, reason);
    finish(command, exit_status::failed);
}

void Stepper::refuse_queue(const std::string& reason) {
    for (const auto& command : state_.queue)
        refuse(command.id, reason);
    state_.queue.clear();
}

// What an operator asked for is written down before anything is done about it.
void Stepper::note_intent(PendingCommand& command) {
    const bool stops = command.op == Op::down || command.op == Op::stop;
    const bool starts = deploys_tip(command.op) || command.op == Op::start || command.op == Op::rollback;
    if (!stops && !starts)
        return;
    if (const auto stopping = stops && command.args.empty() ? std::optional(command.op) : std::nullopt;
        stopping != state_.durable.stopping) {
        state_.durable.stopping = stopping;
        persist();
    }
    const Desired wanted = stops ? Desired::stopped : Desired::running;
    const bool same = state_.durable.intent.desired == wanted;
    // Asked again while it might still be taken back, it stands on its own.
    if (same && !(state_.current && state_.current->instead_of) && !later_intent())
        return;
    command.instead_of = std::exchange(state_.durable.intent, Intent{wanted, command.who, now_});
    persist();
    if (!same) {
        const auto sentence = fmt::format("desired is now {}, asked by {}", name_of(wanted), command.who);
        note(false, sentence);
        decide(DecisionKind::intent, sentence);
    }
}

bool Stepper::later_intent() const {
    return std::any_of(state_.queue.begin(), state_.queue.end(),
                       [](const PendingCommand& command) { return command.instead_of.has_value(); });
}

// A command that could not be carried out at all asked for nothing.
void Stepper::take_intent_back() {
    if (!state_.current || !state_.current->instead_of || later_intent())
        return;
    state_.durable.intent = *state_.current->instead_of;
    state_.durable.stopping.reset();
    persist();
    const auto sentence = fmt::format("desired is {} as before", name_of(state_.durable.intent.desired));
    note(false, sentence);
    decide(DecisionKind::intent, sentence);
}

// The same words keep the time when they were said first.
void Stepper::decide(DecisionKind kind, std::string sentence, std::string commit) {
    Decision& last = state_.durable.decision;
    Decision next{std::move(sentence), last.at, kind, std::move(commit)};
    if (next == last)
        return;
    if (next.sentence != last.sentence)
        next.at = now_;
    last = std::move(next);
    persist();
}

bool Stepper::decided(DecisionKind kind, const std::string& commit) const {
    const Decision& last = state_.durable.decision;
    return last.kind == kind && last.commit == commit;
}

} // namespace pgod::reconcile

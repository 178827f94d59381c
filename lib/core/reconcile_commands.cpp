#include "core/exit_status.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

constexpr std::size_t max_queue = 32; // commands that may wait for one service

} // namespace

void Stepper::on(const CommandArrived& event) {
    const PendingCommand& command = event.command;
    if (state_.removed)
        return refuse(command.id, no_longer_configured);
    if (state_.phase == Phase::unavailable)
        return refuse(command.id, state_.unavailable);
    if (state_.queue.size() >= max_queue) {
        tell(command.id, "too many commands wait for this service; try again later");
        return finish(command.id, exit_status::busy);
    }
    state_.queue.push_back(command);
    state_.queue.back().who = event.who;
    note_intent(state_.queue.back(), event.who);
    if (state_.phase != Phase::idle)
        tell(command.id, "waiting for what the service is doing now");
    next();
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
void Stepper::note_intent(PendingCommand& command, const std::string& who) {
    const bool stops = command.op == Op::down || command.op == Op::stop;
    const bool starts = command.op == Op::up || command.op == Op::start;
    if (!stops && !starts)
        return;
    const Desired wanted = stops ? Desired::stopped : Desired::running;
    const bool same = state_.durable.intent.desired == wanted;
    // Asked again while it might still be taken back, it stands on its own.
    if (same && !(state_.current && state_.current->instead_of) && !later_intent())
        return;
    command.instead_of = std::exchange(state_.durable.intent, Intent{wanted, who, now_});
    act(Persist{});
    if (!same)
        note(false, fmt::format("desired is now {}, asked by {}", name_of(wanted), who));
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
    act(Persist{});
    note(false, fmt::format("desired is {} as before", name_of(state_.durable.intent.desired)));
}

void Stepper::end_current(int status) {
    finish(current_id(), status);
    state_.current.reset();
    next();
}

} // namespace pgod::reconcile

// An operator's command can end or put off other work of the service: work that waits for a place, and work
// that prepares a version and has touched nothing that runs yet.
#include "core/exit_status.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

bool stops(Op op) {
    return op == Op::down || op == Op::stop;
}

// The output is all that they are for.
bool ends_with_its_client(Op op) {
    return op == Op::pull || op == Op::build;
}

std::string asked_for(const PendingCommand& command) {
    return fmt::format("{} was asked for by {}", operation_of(command.op).name, command.who);
}

constexpr const char* client_left = "its client left";

} // namespace

phase::Working* Stepper::preparing() {
    auto* working = std::get_if<phase::Working>(&state_.phase);
    return working != nullptr && working->reach != Reach::changing ? working : nullptr;
}

// Nothing has begun, or what has begun has ended.
void Stepper::give_up(const std::string& reason) {
    enter(phase::Idle{});
    tell_current("cancelled: " + reason);
    take_intent_back();
    finish_current(exit_status::failed, name_of(Outcome::cancelled));
}

void Stepper::give_turn_up(const std::string& reason) {
    if (!is_in<phase::Queued>(state_))
        return;
    act(LeaveTurn{});
    give_up(reason);
}

// False: no work is under way that can be cancelled. pgod never leaves a switch half-way.
bool Stepper::cancel_work(const std::string& reason) {
    phase::Working* working = preparing();
    if (working == nullptr)
        return false;
    if (working->cancelling)
        return true;
    if (working->reach == Reach::at_gate)
        act(LeaveTurn{});
    working->cancelling = reason;
    tell_current("cancelled: " + reason);
    act(CancelWork{reason});
    return true;
}

// Why such work of a command does not begin any more, for what came while its commit was fetched and staged.
// `sync` fetches all the same, and deploys no more than a poll would.
std::optional<std::string> Stepper::overtaken(Work work) const {
    if (place_of(work) != Place::preparing || !state_.current || state_.current->op == Op::sync)
        return std::nullopt;
    const auto stop = std::find_if(state_.queue.begin(), state_.queue.end(),
                                   [](const PendingCommand& command) { return stops(command.op); });
    if (stop != state_.queue.end())
        return asked_for(*stop);
    if (work == Work::deploy && state_.durable.suspension)
        return text_of(*state_.durable.suspension);
    if (state_.current->id == 0 && ends_with_its_client(state_.current->op))
        return client_left;
    return std::nullopt;
}

void Stepper::on(const ClientLeft& event) {
    std::erase_if(state_.queue, [&event](const PendingCommand& command) {
        return command.id == event.command && ends_with_its_client(command.op);
    });
    if (!state_.current || state_.current->id != event.command || !ends_with_its_client(state_.current->op))
        return;
    state_.current->id = 0;
    give_turn_up(client_left);
    (void)cancel_work(client_left);
    next();
}

// The newest command needs no place: it waits for no other service, not even behind work that does.
void Stepper::make_way() {
    const PendingCommand& command = state_.queue.back();
    if (command.op != Op::start && command.op != Op::restart && command.op != Op::rollback)
        return;
    if (is_in<phase::Queued>(state_)) {
        act(LeaveTurn{});
        return put_off(asked_for(command) + ": this goes on after it");
    }
    if (const auto* working = preparing();
        working != nullptr && working->reach == Reach::at_gate && !working->cancelling) {
        act(LeaveTurn{});
        open_gate(Place::switching);
    }
}

// Work that waits for its turn begins again, behind the queued commands.
void Stepper::put_off(const std::string& reason) {
    tell_current(reason);
    if (state_.current)
        state_.queue.push_back(std::move(*state_.current));
    else
        state_.next_sync = now_;
    for (auto& command : state_.followers)
        state_.queue.push_back(std::move(command));
    state_.current.reset();
    state_.followers.clear();
    enter(phase::Idle{});
    target_.clear();
}

// The worker had touched nothing: the service is as it was before it began.
void Stepper::on_cancelled(const phase::Working& ended) {
    if (ended.work == Work::deploy) {
        state_.durable.settled = ended.settled_before;
        persist();
        const auto sentence = fmt::format("{} was not deployed: {}", brief(target_), *ended.cancelling);
        note(false, sentence);
        decide(DecisionKind::cancelled, sentence, target_);
    }
    take_intent_back();
    finish_current(exit_status::failed, name_of(Outcome::cancelled));
    next();
}

} // namespace pgod::reconcile

#include "base/text.hpp"
#include "core/exit_status.hpp"
#include "core/reconcile_reason.hpp"
#include "core/reconcile_stepper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

// They want what upstream has at the time, so one deployment can do for many.
bool joins(Op op) {
    return op == Op::up || op == Op::sync;
}

bool has(const Room& room, Place place) {
    return place == Place::preparing   ? room.preparing
           : place == Place::switching ? room.switching
                                       : room.healing;
}

After after_of(Work work) {
    if (work == Work::deploy)
        return After::awaits;
    return work == Work::rollback || work == Work::heal ? After::unsettled : After::none;
}

std::string_view full(Place place) {
    switch (place) {
    case Place::preparing:
        return "it waits until other services of this user, or of the host, leave room to fetch and build";
    case Place::switching:
        return "it waits until the deployments of other services leave room on this host (parallel)";
    case Place::healing:
        break;
    }
    return "it waits until the healing of other services leaves room";
}

} // namespace

std::optional<Place> place_of(Work work) {
    switch (work) {
    case Work::deploy:
    case Work::pull:
    case Work::build:
        return Place::preparing;
    case Work::rollback:
        return Place::switching;
    case Work::heal:
        return Place::healing;
    case Work::down:
    case Work::start:
    case Work::stop:
    case Work::restart:
    case Work::plan:
    case Work::check:
        break;
    }
    return std::nullopt;
}

void Stepper::next() {
    if (!is_idle())
        return;
    target_.clear(); // of what was done before
    if (state_.removal)
        return *state_.removal == Removal::leave_alone ? retire() : start_work(Work::down);
    if (state_.asking_beside) // its answer comes first
        return enter(phase::Syncing{});
    // A clock that was set back must stop neither the polls nor what is tried again.
    const Time latest = now_ + std::max<std::chrono::milliseconds>(2 * settings_.interval, 2 * first_retry);
    if (state_.next_sync > latest)
        state_.next_sync = now_;
    if (state_.next_deploy && *state_.next_deploy > latest)
        state_.next_deploy = now_;
    if (!state_.queue.empty()) {
        take_command();
        return start_command();
    }
    if (now_ >= state_.next_sync)
        return start_sync();
    if (state_.next_deploy && now_ >= *state_.next_deploy && settings_.held_by)
        state_.next_deploy = now_ + settings_.interval;
    if (state_.next_deploy && now_ >= *state_.next_deploy &&
        deploys(decide_on_tip(state_, settings_, now_))) {
        state_.because = Trigger::retry;
        if (state_.read_repository) // it could not be read: mended first, and it goes on from there
            return start_sync();
        start_export(state_.tip, Work::deploy);
    }
}

// The first that waits; those right behind it that want the same are done with it, by the newest of them.
void Stepper::take_command() {
    auto& current = state_.current.emplace(std::move(state_.queue.front()));
    state_.queue.pop_front();
    while (joins(current.op) && !state_.queue.empty() && joins(state_.queue.front().op)) {
        PendingCommand later = std::move(state_.queue.front());
        state_.queue.pop_front();
        if (later.op == Op::up) {
            if (current.instead_of)
                later.instead_of = current.instead_of;
            std::swap(current, later);
        }
        tell(later.id, "another request for this service came meanwhile, and both are done at once");
        state_.followers.push_back(std::move(later));
    }
}

// The command that became the current one begins, unless something has come up while it waited.
void Stepper::start_command() {
    const PendingCommand& command = *state_.current;
    const Work work = *operation_of(command.op).work;
    if (state_.durable.suspension && deploys_tip(command.op))
        return refuse_current(text_of(*state_.durable.suspension));
    if (const auto why = overtaken(work)) {
        give_up(*why);
        return next();
    }
    // What is rolled back from has to be known, to be held back.
    if (needs_tip(work) || (work == Work::rollback && state_.tip.empty()))
        return start_sync();
    start_work(work);
}

// True: the newest command may end with the deployment that is under way, when that brings what it wants.
bool Stepper::join_deployment() {
    const PendingCommand& command = state_.queue.back();
    if (!is_deploying() || state_.queue.size() > 1 || !joins(command.op))
        return false;
    join_in_turn();
    ask_for_first();
    return state_.queue.empty() || state_.asking_beside;
}

// Those that wait, from the first on, end with the deployment that is under way as long as it brings what
// they want: the commit that they name, or what upstream has since they came.
void Stepper::join_in_turn() {
    while (is_deploying() && !state_.queue.empty() && joins(state_.queue.front().op)) {
        const PendingCommand& first = state_.queue.front();
        const bool brought =
            first.commit.empty() ? first.asked && state_.tip == target_ : target_.starts_with(first.commit);
        if (!brought)
            return;
        follow_deployment();
    }
}

// What upstream has now, while a deployment goes on, for those that wait and want that.
void Stepper::ask_for_first() {
    if (!is_deploying() || state_.queue.empty() || state_.asking_beside)
        return;
    const PendingCommand& first = state_.queue.front();
    if (!joins(first.op) || !first.commit.empty() || first.asked)
        return;
    state_.asking_beside = true;
    for (auto& command : state_.queue)
        command.asked = true;
    act(StartSync{state_.tip});
}

bool Stepper::is_deploying() const {
    return work_of(state_) == Work::deploy;
}

void Stepper::follow_deployment() {
    tell(state_.queue.front().id,
         fmt::format("{} is being deployed already: this ends when that does", brief(target_)));
    state_.followers.push_back(std::move(state_.queue.front()));
    state_.queue.pop_front();
    let_go(state_.followers.back());
    if (is_in<phase::Working>(state_) && state_.followers.back().id != 0)
        act(Attach{state_.followers.back().id, state_.durable.deployments});
}

void Stepper::on_asked_beside(const SyncEnded& event) {
    if (state_.read_repository || event.error) { // each asks again in its turn
        for (auto& command : state_.queue)
            command.asked = false;
        return;
    }
    remember_sync(event);
    join_in_turn();
    for (auto& command : state_.queue)
        if (joins(command.op) && command.asked && command.commit.empty()) {
            command.wanted = state_.tip;
            if (is_deploying())
                tell(command.id,
                     brief(state_.tip) + " is deployed when the service is done with " + brief(target_));
        }
    ask_for_first();
}

// Commits that somebody waited for, and whose place a newer one took.
void Stepper::note_superseded() {
    std::vector<std::string> noted{target_};
    const auto look = [this, &noted](const PendingCommand& command) {
        const std::string& commit = command.wanted.empty() ? command.commit : command.wanted;
        if (command.serves || !is_commit_id(commit) ||
            std::find(noted.begin(), noted.end(), commit) != noted.end())
            return;
        noted.push_back(commit);
        act(Supersede{++state_.durable.deployments, commit, command.who, target_});
        tell(command.id, fmt::format("{} is superseded by {}", brief(commit), brief(target_)));
    };
    for (const auto& command : state_.followers)
        look(command);
    if (state_.current)
        look(*state_.current);
}

void Stepper::start_work(Work work) {
    if (state_.current)
        let_go(*state_.current);
    for (auto& command : state_.followers)
        let_go(command);
    if (const auto why = overtaken(work)) {
        give_up(*why);
        return next();
    }
    const auto place = place_of(work);
    if (!place)
        return begin_work(work);
    if (held(work))
        return;
    const After after = after_of(work);
    if (has(settings_.room, *place) && !awaited(settings_, after))
        return begin_work(work);
    enter(phase::Queued{work, target_});
    const auto& other = awaited(settings_, after);
    std::string sentence = other ? "it waits: " + text_of(*other) : std::string(full(*place));
    tell_current(sentence);
    decide(DecisionKind::waits_for_turn, std::move(sentence), target_);
    act(AwaitTurn{*place, after, state_.current.has_value()});
}

const std::optional<Passing>& awaited(const Settings& settings, After after) {
    static const std::optional<Passing> nothing;
    return after == After::none ? nothing : after == After::unsettled ? settings.unsettled : settings.awaits;
}

// The worker has fetched and built everything. It keeps its place to prepare until it gets one to switch, so
// that no more of them wait than there are places. Where what runs is lost meanwhile, the new version heals
// it.
void Stepper::on(const GateReached& event) {
    phase::Working* working = preparing();
    if (working == nullptr || working->work != Work::deploy || working->cancelling)
        return;
    const bool waits = working->reach == Reach::at_gate;
    if (event.lost && settings_.room.healing) {
        if (waits)
            act(LeaveTurn{});
        return open_gate(Place::healing);
    }
    if (waits)
        return;
    if (settings_.room.switching)
        return open_gate(Place::switching);
    working->reach = Reach::at_gate;
    tell_current(std::string(full(Place::switching)));
    act(AwaitTurn{Place::switching, After::none, state_.current.has_value()});
}

void Stepper::open_gate(Place place) {
    std::get<phase::Working>(state_.phase).reach = Reach::changing;
    act(OpenGate{place});
}

void Stepper::on(const TurnCame&) {
    if (const auto* working = preparing();
        working != nullptr && working->reach == Reach::at_gate && !working->cancelling)
        return open_gate(Place::switching);
    if (!may_heal(state_.drift.accident))
        drop_healing();
    const auto* queued = std::get_if<phase::Queued>(&state_.phase);
    if (queued == nullptr)
        return next();
    const Work work = queued->work;
    if (!held(work))
        begin_work(work);
}

void Stepper::on(const OthersChanged&) {
    if (!is_idle() || state_.tip.empty() || settings_.awaits)
        return;
    if (deploys(decide_on_tip(state_, settings_, now_)))
        state_.next_sync = now_;
    next();
}

// A new version is not put on what does not stand. What brings back a version that ran may still help.
bool Stepper::held(Work work) {
    const bool stands = target_ == state_.durable.settled && state_.health == Health::healthy;
    if (work != Work::deploy || !settings_.held_by || stands)
        return false;
    const HeldBy decision{target_, *settings_.held_by};
    if (state_.current && state_.current->op != Op::sync) {
        refuse_current(text_of(decision));
        return true;
    }
    enter(phase::Idle{});
    tell_current(text_of(decision));
    if (!decided(decision.kind, decision.commit)) // the log says it once
        note(true, text_of(decision));
    decide(decision);
    end_current(exit_status::done);
    return true;
}

void Stepper::end_current(int status) {
    finish_current(status);
    next();
}

} // namespace pgod::reconcile

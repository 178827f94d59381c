// Stepper: one step of reconcile while it is being decided: the state as it becomes and the actions so far.
// Private to core/reconcile*.cpp, which hold its members by what they decide: reconcile.cpp a service's life,
// reconcile_queue.cpp whose turn it is, reconcile_clients.cpp who waits for what and how it is told,
// reconcile_cancel.cpp what is given up for what, reconcile_commands.cpp commands and intent,
// reconcile_sync.cpp upstream and the stage, reconcile_work.cpp work and how it ended, reconcile_drift.cpp
// what surveys saw. Pure, as step() is.
#pragma once

#include "core/reconcile_reason.hpp"
#include "core/tip_decision.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgod::reconcile {

inline constexpr std::chrono::seconds first_retry{1}; // after a failed sync or a transient failure
inline constexpr const char* no_longer_configured = "the service is no longer configured";

// What these are done to is the tip, so upstream is asked first.
constexpr bool needs_tip(Work work) {
    return work == Work::deploy || work == Work::pull || work == Work::build || work == Work::plan ||
           work == Work::check;
}

constexpr bool deploys_tip(Op op) {
    return op == Op::up || op == Op::retry;
}

// Nullopt: it needs none, and begins at once.
std::optional<Place> place_of(Work work);

class Stepper {
  public:
    Stepper(State state, const Settings& settings, Time now, double jitter)
        : state_(std::move(state))
        , target_(commit_of(state_))
        , settings_(settings)
        , now_(now)
        , jitter_(jitter) {}

    void on(const Available&);
    void on(const Unavailable& event);
    void on(const Recovered& event);
    void on(const Tick&);
    void on(const Reconfigured& event);
    void on(const Removed&);
    void on(const CommandArrived& event);
    void on(const SyncEnded& event);
    void on(const ExportEnded& event);
    void on(const WorkEnded& event);
    void on(const GateReached& event);
    void on(const ClientLeft& event);
    void on(const TurnCame&);
    void on(const OthersChanged&);
    void on(const Surveyed& event);

    void let_suspension_end(); // before anything else is decided
    void let_waits_end();      // …of clients that said how long they wait

    Step take() && { return Step{std::move(state_), std::move(actions_)}; }

  private:
    // whose turn it is
    void next();
    void take_command();
    void start_command();
    bool join_deployment();
    bool is_deploying() const;
    void follow_deployment();
    void join_in_turn();
    void ask_for_first();
    void on_asked_beside(const SyncEnded& event);
    void note_superseded();
    void start_work(Work work);
    bool held(Work work);
    void open_gate(Place place);
    void finish_current(int status, std::string_view outcome = {});
    void end(const PendingCommand& command, int status, const std::string& commit,
             std::string_view outcome = {});
    void let_go(PendingCommand& command);
    void queue_followers_again();
    void end_current(int status);
    void tell_current(const std::string& sentence);   // and those who follow
    void tell_followers(const std::string& sentence); // what the output of the work says to the first

    // what is given up
    phase::Working* preparing(); // work that has touched nothing yet; null: there is none
    void give_up(const std::string& reason);
    void give_up_removed();
    void give_turn_up(const std::string& reason);
    bool cancel_work(const std::string& reason);
    std::optional<std::string> overtaken(Work work) const;
    void make_way();
    void put_off(const std::string& reason);
    void on_cancelled(const phase::Working& ended);

    // commands and intent
    void refuse(CommandId command, const std::string& reason);
    void refuse_queue(const std::string& reason);
    void note_intent(PendingCommand& command);
    bool later_intent() const;
    void take_intent_back();
    Status take_options(PendingCommand& command);
    void suspend(const PendingCommand& command);
    void resume(const PendingCommand& command);
    bool end_suspension(const std::string& how);
    void refuse_current(const std::string& reason);
    bool take_named(const std::vector<NamedCommit>& named);

    // upstream and the stage
    void start_sync();
    void remember_sync(const SyncEnded& event);
    void go_on_with_command();
    void start_export(const std::string& commit, Work then, bool on_branch = false);
    void on_not_exported(const Error& error);

    // work
    void begin_work(Work work);
    Trigger trigger() const;
    void on_rolled_back(const phase::Working& ended, const WorkEnded& event);
    void on_deployed(const phase::Working& ended, const WorkEnded& event);
    void on_healed(const WorkEnded& event);
    void on_worker_lost(const phase::Working& ended, const Error& error);
    bool on_stopped(const WorkEnded& event);
    void on_taken_down(const WorkEnded& event);
    void on_previewed(const WorkEnded& event);
    enum class Rejudge { no, yes };
    void settle(Outcome outcome, const std::optional<Error>& error, bool again, Rejudge rejudge);
    void try_later();

    // What `why` repeats.
    void decide(DecisionKind kind, std::string sentence, std::string commit = {});
    void decide(const auto& decision) { decide(decision.kind, text_of(decision), decision.commit); }
    void decide(const TipDecision& decision) {
        std::visit([this](const auto& one) { decide(one); }, decision);
    }
    bool decided(DecisionKind kind, const std::string& commit) const;

    // drift
    void survey();
    bool may_heal(bool accident) const;
    void mend(const Surveyed& seen);
    void say(const DriftAnswer& answer);
    void drop_healing();

    void retire();
    void enter(Phase phase) { state_.phase = std::move(phase); }
    bool is_idle() const { return is_in<phase::Idle>(state_); }

    void act(auto action) { actions_.emplace_back(std::move(action)); }
    // What is written is the state at the end of the step, so once is enough.
    void persist() {
        if (!std::exchange(persists_, true))
            act(Persist{});
    }
    void note(bool problem, std::string sentence) { act(Note{problem, std::move(sentence)}); }
    void tell(CommandId command, std::string sentence) {
        if (command != 0)
            act(Tell{command, std::move(sentence)});
    }
    void finish(CommandId command, int status, std::string last = {}) {
        if (command != 0)
            act(Finish{command, status, std::move(last)});
    }
    CommandId current_id() const { return state_.current ? state_.current->id : 0; }
    std::optional<Op> current_op() const {
        return state_.current ? std::optional<Op>(state_.current->op) : std::nullopt;
    }

    State state_;
    std::string target_; // the commit that was under way before this step, or is now
    const Settings& settings_;
    Time now_;
    double jitter_;
    bool persists_ = false;
    std::vector<Action> actions_;
};

} // namespace pgod::reconcile

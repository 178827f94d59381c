#include "core/reconcile.hpp"

#include "core/backoff.hpp"
#include "core/exit_status.hpp"
#include "core/reconcile_reason.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

namespace {

using namespace std::chrono_literals;
constexpr auto first_retry = 1s;      // after a failed sync or a transient deployment failure
constexpr auto longest_retry = 5min;  // and never later than the poll interval
constexpr std::size_t max_queue = 32; // commands that may wait for one service
const std::string no_longer_configured = "the service is no longer configured";

// What these are done to is the tip, so upstream is asked first.
bool needs_tip(Work work) {
    return work == Work::deploy || work == Work::pull || work == Work::build;
}

class Stepper {
  public:
    Stepper(State state, const Settings& settings, Time now, double jitter)
        : state_(std::move(state))
        , settings_(settings)
        , now_(now)
        , jitter_(jitter) {}

    void on(const Available&) {
        if (state_.phase != Phase::unavailable)
            return;
        state_.phase = Phase::recovering;
        act(Recover{});
    }

    void on(const Unavailable& event) {
        if (state_.unavailable != event.reason)
            note(true, event.reason);
        state_.phase = Phase::unavailable;
        state_.unavailable = event.reason;
        state_.user_gone = event.user_gone;
        refuse_queue(event.reason);
        if (state_.removed && event.user_gone)
            act(Retire{});
    }

    void on(const Recovered& event) {
        if (state_.phase != Phase::recovering)
            return;
        state_.phase = Phase::idle;
        state_.unavailable.clear();
        state_.running = event.running;
        state_.health = event.health;
        // After a reboot the record says what should run and the containers are gone.
        state_.needs_deploy =
            !event.running.empty() && (event.health == Health::missing || event.health == Health::degraded);
        state_.next_sync = now_;
        next();
    }

    void on(const Tick&) { next(); }

    // What was judged under the old settings is judged again; the worker touches nothing that need not
    // change.
    void on(const Reconfigured& event) {
        state_.durable.settled.clear();
        state_.rejudge = state_.phase == Phase::working;
        state_.read_repository = true;
        state_.next_sync = std::min(state_.next_sync, now_);
        if (event.other_source)
            state_.tip.clear();
        if (std::exchange(state_.removed, false) && std::exchange(state_.take_down_failed, false)) {
            state_.phase = Phase::recovering;
            return act(Recover{});
        }
        next();
    }

    // What it is doing comes to its end first, then it is taken down by the plan that it ran from.
    void on(const Removed&) {
        if (!std::exchange(state_.removed, true))
            note(false, "it is no longer configured and is taken down; its files and volumes stay");
        refuse_queue(no_longer_configured);
        if (std::exchange(state_.take_down_failed, false))
            state_.phase = Phase::idle; // asked again
        if (state_.phase == Phase::unavailable && state_.user_gone)
            return act(Retire{});
        next();
    }

    void on(const CommandArrived& event) {
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
        note_intent(state_.queue.back(), event.who);
        if (state_.phase != Phase::idle)
            tell(command.id, "waiting for what the service is doing now");
        next();
    }

    void on(const SyncEnded& event) {
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

    void on(const ExportEnded& event) {
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

    void on(const WorkEnded& event) {
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

    Step take() && { return Step{std::move(state_), std::move(actions_)}; }

  private:
    void act(Action action) { actions_.push_back(std::move(action)); }
    void note(bool problem, std::string sentence) { act(Note{problem, std::move(sentence)}); }
    void tell(CommandId command, std::string sentence) {
        if (command != 0)
            act(Tell{command, std::move(sentence)});
    }
    void finish(CommandId command, int status) {
        if (command != 0)
            act(Finish{command, status});
    }
    CommandId current_id() const { return state_.current ? state_.current->id : 0; }
    std::optional<Op> current_op() const {
        return state_.current ? std::optional<Op>(state_.current->op) : std::nullopt;
    }
    void tell_current(std::string sentence) { tell(current_id(), std::move(sentence)); }

    void refuse(CommandId command, const std::string& reason) {
        tell(command, reason);
        finish(command, exit_status::failed);
    }

    void refuse_queue(const std::string& reason) {
        for (const auto& command : state_.queue)
            refuse(command.id, reason);
        state_.queue.clear();
    }

    // What an operator asked for is written down before anything is done about it.
    void note_intent(PendingCommand& command, const std::string& who) {
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

    bool later_intent() const {
        return std::any_of(state_.queue.begin(), state_.queue.end(),
                           [](const PendingCommand& command) { return command.instead_of.has_value(); });
    }

    // A command that could not be carried out at all asked for nothing.
    void take_intent_back() {
        if (!state_.current || !state_.current->instead_of || later_intent())
            return;
        state_.durable.intent = *state_.current->instead_of;
        act(Persist{});
        note(false, fmt::format("desired is {} as before", name_of(state_.durable.intent.desired)));
    }

    void next() {
        if (state_.phase != Phase::idle)
            return;
        if (state_.removed)
            return start_work(Work::down);
        // A clock that was set back must not stop the polls.
        if (state_.next_sync > now_ + 2 * settings_.interval)
            state_.next_sync = now_;
        if (!state_.queue.empty()) {
            state_.current = std::move(state_.queue.front());
            state_.queue.pop_front();
            if (needs_tip(*operation_of(state_.current->op).work))
                return start_sync();
            return start_work(*operation_of(state_.current->op).work);
        }
        if (now_ >= state_.next_sync)
            return start_sync();
        if (state_.next_deploy && now_ >= *state_.next_deploy &&
            why_not_deploy(state_, settings_, now_).empty())
            export_tip();
    }

    void start_sync() {
        state_.phase = Phase::syncing;
        act(StartSync{std::exchange(state_.read_repository, false) ? std::string() : state_.tip});
    }

    void remember_sync(const SyncEnded& event) {
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

    void export_tip() {
        state_.phase = Phase::exporting;
        state_.target = state_.tip;
        act(StartExport{state_.tip});
    }

    void start_work(Work work) {
        state_.phase = Phase::working;
        state_.work = work;
        if (work == Work::deploy) {
            state_.rejudge = false;
            ++state_.durable.deployments;
            act(Persist{});
        }
        act(StartWork{work, needs_tip(work) ? state_.target : std::string(),
                      work == Work::deploy ? state_.durable.deployments : 0, current_id(),
                      state_.current ? state_.current->args : std::vector<std::string>{}});
    }

    void on_deployed(const WorkEnded& event) {
        const Outcome outcome = event.outcome.value_or(event.error ? Outcome::failed : Outcome::ok);
        // The class of the cause decides whether the commit is tried again without anybody asking.
        const bool again =
            event.error && (event.error->code == Code::transient || event.error->code == Code::timeout);
        settle(outcome, event.error, again);
        state_.needs_deploy = false;
    }

    // Nobody knows how far it came: the containers are looked at, and the commit is tried again.
    void on_worker_lost(const Error& error) {
        settle(Outcome::failed, error, true);
        finish(current_id(), exit_status::internal);
        state_.current.reset();
        state_.phase = Phase::recovering;
        act(Recover{});
    }

    // A service that could not be taken down is tried again with the next SIGHUP or start of pgod.
    void on_taken_down(const WorkEnded& event) {
        finish(current_id(), event.exit_status);
        state_.current.reset();
        state_.phase = Phase::unavailable;
        state_.unavailable = no_longer_configured;
        if (event.exit_status == exit_status::done)
            return act(Retire{});
        state_.take_down_failed = true;
        note(true, "could not be taken down: " +
                       (event.error ? event.error->message : std::string("no reason given")));
    }

    void settle(Outcome outcome, const std::optional<Error>& error, bool again) {
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

    void end_current(int status) {
        finish(current_id(), status);
        state_.current.reset();
        next();
    }

    State state_;
    const Settings& settings_;
    Time now_;
    double jitter_;
    std::vector<Action> actions_;
};

} // namespace

Step step(State state, const Settings& settings, const Event& event, Time now, double jitter) {
    Stepper stepper(std::move(state), settings, now, jitter);
    std::visit([&stepper](const auto& happened) { stepper.on(happened); }, event);
    return std::move(stepper).take();
}

std::optional<Time> due(const State& state) {
    if (state.phase != Phase::idle)
        return std::nullopt;
    if (state.next_deploy && state.durable.intent.desired == Desired::running)
        return std::min(state.next_sync, *state.next_deploy);
    return state.next_sync;
}

} // namespace pgod::reconcile

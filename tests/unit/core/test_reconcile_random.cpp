// Random sequences of events, of fixed seeds: what holds after each step of
// reconcile, whatever came before. The world around it answers as the service's
// actor does: each answer follows a question, in any order.
#include "reconcile_drive.hpp"

#include <algorithm>
#include <random>
#include <set>

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

constexpr unsigned sequences = 300;
constexpr unsigned length = 200; // events of one

class World {
  public:
    explicit World(unsigned seed)
        : random_(seed) {
        settings_.interval = 60s;
        state_.phase = phase::Unavailable{};
        feed(Available{});
    }

    bool over() const { return retired_; }

    void turn() {
        now_ += std::chrono::milliseconds(pick(20'000));
        if (one_in(8)) {
            settings_.room = {one_in(2), one_in(2), one_in(2)};
            settings_.auto_deploy = !one_in(6);
            settings_.awaits =
                one_in(4) ? std::optional(Passing{"db", Passing::What::working}) : std::nullopt;
            settings_.unsettled = one_in(2) ? settings_.awaits : std::nullopt;
            settings_.held_by =
                one_in(6) ? std::optional(Lasting{"db", Lasting::NeverDeployed{}}) : std::nullopt;
        }
        const std::size_t what = pick(16);
        if (what < 6)
            return answer();
        if (what < 9)
            return command();
        if (what < 13)
            return feed(Tick{});
        if (what == 13)
            return feed(OthersChanged{});
        if (what == 14 && !open_.empty())
            return leave(*std::next(open_.begin(), static_cast<std::ptrdiff_t>(pick(open_.size()))));
        if (one_in(6))
            return feed(Reconfigured{one_in(3)});
        if (one_in(20))
            return feed(Removed{one_in(2)});
    }

    // Everything that is under way ends, and nothing is in the way any more.
    void calm_down() {
        settings_ = {.interval = 60s};
        for (int i = 0; i < 1000 && !retired_ && (anything() || !open_.empty()); ++i) {
            anything() ? answer() : feed(Tick{});
            now_ += 10s;
        }
    }

    void check_ended() const {
        CHECK(open_.empty());
        CHECK_FALSE(working_);
    }

  private:
    std::size_t pick(std::size_t below) { return random_() % below; }
    bool one_in(std::size_t chance) { return pick(chance) == 0; }
    const std::string& commit() {
        static const std::vector<std::string> commits{commit_a, commit_b, commit_c};
        return commits[pick(commits.size())];
    }

    bool anything() const {
        return recovering_ || syncing_ || exporting_ || working_ || surveying_ || waiting_;
    }

    void command() {
        static const std::vector<Op> ops{Op::up,      Op::sync,   Op::down,  Op::start,   Op::stop,
                                         Op::restart, Op::pull,   Op::build, Op::plan,    Op::check,
                                         Op::suspend, Op::resume, Op::retry, Op::rollback};
        PendingCommand command;
        command.id = ++last_id_;
        command.op = ops[pick(ops.size())];
        if (command.op == Op::up && one_in(2))
            command.args = one_in(2) ? std::vector<std::string>{"--commit", commit()}
                                     : std::vector<std::string>{one_in(2) ? "--no-wait" : "--timeout=5s"};
        open_.insert(command.id);
        feed(CommandArrived{command, miek});
    }

    // Its command may go on, or is dropped without a word that nobody would read.
    void leave(CommandId client) {
        open_.erase(client);
        left_.insert(client);
        feed(ClientLeft{client});
    }

    // One of the answers that are owed.
    void answer() {
        std::vector<void (World::*)()> owed;
        const auto add = [&owed](bool open, void (World::*end)()) {
            if (open)
                owed.push_back(end);
        };
        add(recovering_, &World::end_recovery);
        add(syncing_, &World::end_sync);
        add(exporting_.has_value(), &World::end_export);
        add(working_.has_value(), &World::go_on_working);
        add(surveying_, &World::end_survey);
        add(waiting_, &World::come_to_turn);
        if (!owed.empty())
            (this->*owed[pick(owed.size())])();
    }
    Health health() { return all_health[pick(all_health.size())]; }
    Surveyed seen() {
        Surveyed seen;
        seen.running = one_in(5) ? std::string() : running_;
        seen.health = health();
        seen.lost = one_in(3);
        seen.accident = one_in(3);
        seen.problem = seen.lost ? "web exited" : "";
        seen.busy = one_in(10);
        return seen;
    }
    std::optional<Error> failure() {
        static constexpr Code codes[]{Code::transient, Code::permanent, Code::timeout,
                                      Code::internal,  Code::invalid,   Code::gone};
        return one_in(3) ? std::optional(Error{codes[pick(std::size(codes))], "something"}) : std::nullopt;
    }
    void end_recovery() {
        recovering_ = false;
        if (!one_in(8))
            return feed(Recovered{seen()});
        feed(Unavailable{"the user is not there", one_in(2)});
        if (!retired_)
            feed(Available{});
    }
    void end_sync() {
        syncing_ = false;
        feed(SyncEnded{one_in(10) ? std::string() : commit(), failure()});
    }
    void end_export() {
        const auto start = *std::exchange(exporting_, std::nullopt);
        ExportEnded ended{failure(), start.commit, {}};
        for (const auto& name : start.named)
            ended.named.push_back({name, name, one_in(3), one_in(4) ? "it is not on the branch" : ""});
        feed(ended);
    }
    void go_on_working() {
        if (gate_ && !opened_ && !cancelled_ && one_in(2))
            return feed(GateReached{one_in(4)});
        WorkEnded ended;
        ended.error = failure();
        ended.exit_status = ended.error ? exit_status::failed : exit_status::done;
        ended.running = running_;
        ended.health = health();
        if (cancelled_)
            ended.outcome = Outcome::cancelled;
        else if (!ended.error && (*working_ == Work::deploy || *working_ == Work::rollback))
            ended.running = running_ = commit();
        if (ended.error && !cancelled_ && one_in(4))
            ended.outcome = Outcome::rolled_back;
        working_.reset();
        feed(ended);
    }
    void end_survey() {
        surveying_ = false;
        feed(seen());
    }
    void come_to_turn() {
        waiting_ = false;
        feed(TurnCame{});
    }

    void feed(const Event& event) {
        if (retired_)
            return;
        const Durable before = state_.durable;
        Step stepped = step(std::move(state_), settings_, event, now_, middle);
        state_ = std::move(stepped.state);
        CAPTURE(line(stepped.actions));
        bool persisted = false;
        for (const auto& action : stepped.actions) {
            CHECK_FALSE(retired_); // Retire is the last one
            persisted = persisted || std::holds_alternative<Persist>(action);
            if (std::holds_alternative<StartWork>(action))
                CHECK((persisted ||
                       state_.durable == before)); // a crash must find what the work was begun with
            std::visit([this](const auto& one) { take(one); }, action);
        }
        CHECK((persisted || state_.durable == before));
        CHECK(working_.has_value() == is_in<phase::Working>(state_));
        CHECK(exporting_.has_value() == is_in<phase::Exporting>(state_));
        CHECK((syncing_ || !is_in<phase::Syncing>(state_)));
        CHECK(waiting_ == waits_for_turn());
    }
    bool waits_for_turn() const {
        const auto* working = std::get_if<phase::Working>(&state_.phase);
        return is_in<phase::Queued>(state_) ||
               (working != nullptr && working->reach == Reach::at_gate && !working->cancelling);
    }

    void take(const Recover&) {
        CHECK_FALSE(working_);
        recovering_ = true;
    }
    void take(const StartSync&) {
        CHECK_FALSE(syncing_);
        syncing_ = true;
    }
    void take(const StartExport& action) {
        CHECK_FALSE(exporting_);
        CHECK_FALSE(working_);
        exporting_ = action;
    }
    void take(const StartWork& action) {
        CHECK_FALSE(working_);
        CHECK_FALSE(exporting_);
        working_ = action.work;
        gate_ = action.work == Work::deploy;
        opened_ = cancelled_ = false;
    }
    void take(const OpenGate&) {
        CHECK(gate_);
        CHECK_FALSE(std::exchange(opened_, true));
    }
    void take(const CancelWork&) {
        CHECK(working_);
        CHECK_FALSE(opened_);
        CHECK_FALSE(std::exchange(cancelled_, true));
    }
    void take(const AwaitTurn&) { CHECK_FALSE(std::exchange(waiting_, true)); }
    void take(const LeaveTurn&) { waiting_ = false; }
    void take(const Survey&) { surveying_ = true; }
    void take(const Finish& action) { CHECK(open_.erase(action.command) + left_.erase(action.command) == 1); }
    void take(const Tell& action) {
        CHECK((open_.contains(action.command) || left_.contains(action.command)));
    }
    void take(const Attach& action) {
        CHECK((open_.contains(action.command) || left_.contains(action.command)));
    }
    void take(const Retire&) { retired_ = true; }
    void take(const auto&) {}

    std::mt19937 random_;
    State state_;
    Settings settings_;
    Time now_ = start_time;
    std::string running_ = commit_a; // as a look at the containers would say
    CommandId last_id_ = 0;
    std::set<CommandId> open_; // commands that have not ended
    std::set<CommandId> left_; // …whose client has left
    bool recovering_ = false, syncing_ = false, surveying_ = false, waiting_ = false, retired_ = false;
    std::optional<StartExport> exporting_;
    std::optional<Work> working_;
    bool gate_ = false, opened_ = false, cancelled_ = false;
};

} // namespace

TEST_CASE("whatever happens: each command ends once, one work at a time, and "
          "nothing begins before it is written down") {
    for (unsigned seed = 0; seed < sequences; ++seed) {
        CAPTURE(seed);
        World world(seed);
        for (unsigned i = 0; i < length && !world.over(); ++i)
            world.turn();
        world.calm_down();
        world.check_ended();
    }
}

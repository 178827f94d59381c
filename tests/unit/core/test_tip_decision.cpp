// What a poll does about the tip, and the sentence that goes with it.
#include "core/reconcile_reason.hpp"
#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

// One that runs commit a, and upstream has commit b.
State behind() {
    State state;
    state.phase = phase::Idle{};
    state.tip = commit_b;
    state.running = commit_a;
    state.durable.settled = commit_a;
    state.durable.outcome = Outcome::ok;
    return state;
}

const Lasting db_degraded{"db", Lasting::Unhealthy{Health::degraded}};

} // namespace

TEST_CASE("what a poll does about the tip") {
    const Settings plain;
    const Settings by_hand{.auto_deploy = false};
    const Settings held{.held_by = db_degraded};
    const Suspension suspension{miek, start_time, std::nullopt, "moving"};
    const Intent stopped{Desired::stopped, miek, start_time};
    const Quarantined failed{commit_b, "web ended with 3", start_time};

    struct Row {
        const char* name;
        void (*change)(State&);
        const Settings& settings;
        TipDecision expected;
    };
    const Row rows[] = {
        {"a new commit", [](State&) {}, plain, Deploy{commit_b}},
        {"it runs", [](State& state) { state.tip = commit_a; }, plain, UpToDate{commit_a}},
        {"containers were missing",
         [](State& state) {
             state.tip = commit_a;
             state.needs_deploy = true;
         },
         plain, Deploy{commit_a}},
        {"it was rejected",
         [](State& state) {
             state.durable.settled = commit_b;
             state.durable.outcome = Outcome::rejected;
             state.durable.reason = "privileged";
         },
         plain, GivenUp{commit_b, Outcome::rejected, "privileged"}},
        {"it failed, and its time has not come",
         [](State& state) {
             state.next_deploy = start_time + 1s;
             state.durable.reason = "registry";
         },
         plain, RetryAt{commit_b, start_time + 1s, "registry"}},
        {"…and has come", [](State& state) { state.next_deploy = start_time; }, plain, Deploy{commit_b}},
        {"auto = false", [](State&) {}, by_hand, WaitsForUp{commit_b}},
        {"auto = false, and it runs", [](State& state) { state.tip = commit_a; }, by_hand,
         UpToDate{commit_a}},
        {"another service is degraded", [](State&) {}, held, HeldBy{commit_b, db_degraded}},
        {"…but the commit runs", [](State& state) { state.tip = commit_a; }, held, UpToDate{commit_a}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        State state = behind();
        row.change(state);
        const auto decision = decide_on_tip(state, row.settings, start_time);
        CHECK(decision == row.expected);
        CHECK_FALSE(text_of(decision).empty());
    }

    SUBCASE("what an operator did comes first") {
        State state = behind();
        state.durable.quarantine = {failed};
        CHECK(decide_on_tip(state, by_hand, start_time) == TipDecision(InQuarantine(failed)));
        state.durable.intent = stopped;
        CHECK(decide_on_tip(state, held, start_time) == TipDecision(Stopped{commit_b, stopped}));
        state.durable.suspension = suspension;
        CHECK(decide_on_tip(state, held, start_time) == TipDecision(Suspended{commit_b, suspension}));
    }
}

TEST_CASE("a suspended service with auto = false stages no commit at each poll") {
    Drive drive = settled_service();
    drive.settings.auto_deploy = false;
    drive(Op::suspend);
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "note persist");
    CHECK(drive.state.durable.decision.kind == DecisionKind::suspended);
}

TEST_CASE("an outage does not outlive itself in what is said of a commit that waits for up") {
    Drive drive = settled_service();
    drive.settings.auto_deploy = false;
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    drive(ExportEnded{});
    drive(WorkEnded{0, {}, {}, commit_a, Health::healthy});
    const std::string waits = "bbbbbbbb waits for up, because auto = false";
    CHECK(drive.decision() == waits);
    drive.now += 60s;
    drive(Tick{});
    drive(unreachable(commit_b));
    CHECK(drive.decision() != waits);
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    CHECK(drive.decision() == waits);
}

// Work that prepares a version: it has a gate, and until that opens `down`, `suspend` and others end it. Work
// that waits for a place makes way for what needs none.
#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Commit b is fetched and built, for a command or a poll.
Drive preparing(bool by_command = false) {
    Drive drive = settled_service();
    drive.now += 60s;
    by_command ? drive(Op::up, 1) : drive(Tick{});
    drive(tip(commit_b));
    CHECK(has(drive(ExportEnded{}), "work(deploy,b,"));
    return drive;
}

Drive at_gate(bool by_command = false) {
    Drive drive = preparing(by_command);
    drive.settings.room.switching = false;
    CHECK(drive(GateReached{}) == (by_command ? "tell(1) await(true)" : "await(false)"));
    CHECK(drive.place() == Place::switching);
    return drive;
}

// …and it waits for a place to do so.
Drive queued(bool by_command = false) {
    Drive drive = settled_service();
    drive.settings.room.preparing = false;
    drive.now += 60s;
    by_command ? drive(Op::up, 1) : drive(Tick{});
    drive(tip(commit_b));
    CHECK(has(drive(ExportEnded{}), "await("));
    return drive;
}

WorkEnded done(const std::string& running) {
    return {0, {}, {}, running, Health::healthy};
}

} // namespace

TEST_CASE("the gate opens when there is a place to switch, and once") {
    Drive drive = preparing();
    CHECK(drive(GateReached{}) == "open");
    CHECK(drive(GateReached{}) == "");
    CHECK(drive(deployed(commit_b)) == "persist note");

    Drive waits = at_gate(true);
    CHECK(has(waits.told(), "parallel"));
    CHECK(waits(GateReached{}) == "");
    CHECK(waits(TurnCame{}) == "open");
    CHECK(waits(TurnCame{}) == "");
    CHECK(waits(deployed(commit_b)) == "persist note finish(1,0)");
}

TEST_CASE("a new version that waits at its gate takes a place to heal when what runs is lost") {
    Drive drive = at_gate();
    drive.settings.room.healing = false;
    CHECK(drive(GateReached{true}) == "");
    drive.settings.room.healing = true;
    CHECK(drive(GateReached{true}) == "leave open");
    CHECK(std::get<OpenGate>(drive.actions.back()).place == Place::healing);
    CHECK(drive(GateReached{true}) == "");
    Drive ended = at_gate();
    ended(Op::suspend, 2);
    CHECK(ended(GateReached{true}) == "");
}

TEST_CASE("a worker that ends at its gate leaves the line") {
    Drive drive = at_gate();
    CHECK(drive(done(commit_a)).starts_with("leave "));
}

TEST_CASE("a worker that is past its gate, or has none, opens none") {
    Drive drive = settled_service();
    CHECK(drive(GateReached{}) == "");
    drive(Op::restart, 1);
    CHECK(drive(GateReached{}) == "");
}

TEST_CASE("down and stop end what is prepared, and are carried out at once") {
    for (const Op op : {Op::down, Op::stop})
        for (const bool gate : {false, true}) {
            CAPTURE(gate);
            Drive drive = gate ? at_gate(true) : preparing(true);
            const auto asked = drive(op, 2);
            CHECK(has(asked, gate ? "leave tell(1) cancel" : "tell(1) cancel"));
            CHECK(has(drive.told(), "cancelled: " + std::string(op == Op::down ? "down" : "stop") +
                                        " was asked for by " + miek));
            CHECK(drive(GateReached{}) == ""); // it was on its way
            CHECK(drive(TurnCame{}) == "");
            CHECK(has(drive(cancelled()),
                      op == Op::down ? "finish(1,1) work(down,,2)" : "finish(1,1) work(stop,,2)"));
            CHECK(has(drive.last_of(1), "cancelled"));
            CHECK(drive.state.running == commit_a);
            CHECK(drive.state.health == Health::healthy);
            CHECK(drive.state.durable.intent.desired == Desired::stopped);
            CHECK(drive.state.durable.outcome == Outcome::ok); // of what runs
            CHECK(drive.state.durable.quarantine.empty());
        }
}

TEST_CASE("suspend ends what is prepared, and resume deploys it") {
    Drive drive = preparing();
    CHECK(drive(Op::suspend, 2) == "persist note tell(2) cancel finish(2,0)");
    CHECK(drive(cancelled()) == "persist note");
    CHECK(has(drive.decision(), "bbbbbbbb was not deployed: it is suspended by " + miek));
    CHECK(drive.state.durable.settled == commit_a);
    CHECK(drive(Op::resume, 3) == "persist note tell(3) finish(3,0) sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");

    Drive build = settled_service();
    build(Op::build, 1);
    build(tip(commit_a));
    CHECK(has(build(ExportEnded{}), "work(build,a,1)"));
    CHECK(has(build(Op::suspend, 2), "tell(1) cancel finish(2,0)"));
    CHECK(build(cancelled()) == "finish(1,1)");
}

TEST_CASE("an up that suspend ended asked for nothing") {
    Drive drive = settled_service();
    drive(Op::down, 1);
    drive(done(""));
    drive(Op::up, 2);
    drive(tip(commit_b));
    drive(ExportEnded{});
    drive(Op::suspend, 3);
    CHECK(has(drive(cancelled()), "finish(2,1)"));
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("what changes what runs is never cancelled") {
    for (const Op op : {Op::down, Op::stop, Op::suspend}) {
        Drive drive = preparing();
        drive(GateReached{});
        CHECK_FALSE(has(drive(op, 2), "cancel"));
        CHECK_FALSE(has(drive(Removed{}), "cancel"));
    }
    for (const Op op : {Op::restart, Op::rollback}) {
        Drive drive = settled_service();
        drive(op, 1);
        CHECK_FALSE(has(drive(Op::down, 2), "cancel"));
    }
}

TEST_CASE("a worker that ended by itself before it was cancelled has the last word") {
    Drive drive = preparing();
    drive(Op::down, 2);
    CHECK(has(drive(rejected(commit_a)), "work(down,,2)"));
    CHECK(drive.state.durable.outcome == Outcome::rejected);
}

TEST_CASE("a service that is no longer configured does not wait for its build") {
    Drive drive = preparing();
    CHECK(drive(Removed{}) == "note cancel");
    CHECK(drive(cancelled()) == "persist note work(down,,0)");
}

TEST_CASE("settings that changed while a deployment that was cancelled was prepared are judged again") {
    Drive drive = settled_service();
    drive(Op::up, 1);
    drive(tip(commit_a));
    drive(ExportEnded{});
    drive(Reconfigured{});
    drive(Op::suspend, 2);
    drive(cancelled());
    CHECK(drive.state.durable.settled.empty());
}

TEST_CASE("build and pull end with their client, other work goes on") {
    for (const Op op : {Op::build, Op::pull}) {
        Drive works = settled_service();
        works(op, 1);
        works(tip(commit_a));
        works(ExportEnded{});
        CHECK(works(ClientLeft{9}) == "");
        CHECK(works(ClientLeft{1}) == "cancel");
        CHECK(works(cancelled()) == "");

        Drive waits = settled_service();
        waits.settings.room.preparing = false;
        waits(op, 1);
        waits(tip(commit_a));
        CHECK(has(waits(ExportEnded{}), "await(true)"));
        CHECK(waits(ClientLeft{1}) == "leave");
        CHECK(is_in<phase::Idle>(waits.state));

        Drive syncs = settled_service();
        syncs(op, 1);
        CHECK(syncs(ClientLeft{1}) == "");
        syncs(tip(commit_a));
        CHECK(syncs(ExportEnded{}) == "");
        CHECK(is_in<phase::Idle>(syncs.state));

        Drive behind = preparing(true);
        behind(op, 2);
        CHECK(behind(ClientLeft{2}) == "");
        CHECK(behind.state.queue.empty());
    }
    Drive up = preparing(true);
    CHECK(up(ClientLeft{1}) == "");
    Drive restart = settled_service();
    restart(Op::restart, 1);
    CHECK(restart(ClientLeft{1}) == "");
}

TEST_CASE("a down that came while a commit was staged keeps its build from beginning") {
    Drive drive = settled_service();
    drive(Op::up, 1);
    drive(Op::down, 2);
    drive(tip(commit_b));
    CHECK(has(drive(ExportEnded{}), "finish(1,1) work(down,,2)"));
}

TEST_CASE("what needs no place goes before a deployment that waits for one, which begins again after it") {
    for (const auto& [op, work] : {std::pair{Op::restart, "work(restart,,2)"},
                                   {Op::start, "work(start,,2)"},
                                   {Op::rollback, "work(rollback,,2)"}}) {
        Drive poll = queued();
        CHECK(has(poll(op, 2), "leave"));
        CHECK(has(line(poll.actions), work));
        Drive up = queued(true);
        CHECK(has(up(op, 2), "leave tell(1)"));
        CHECK(has(line(up.actions), work));
        CHECK(up.state.queue.size() == 1);
    }
    Drive poll = queued();
    CHECK(poll(Op::restart, 2) == "leave work(restart,,2)");
    CHECK(poll(done(commit_a)) == "finish(2,0) sync(b)");
    Drive up = queued(true);
    CHECK(up(Op::restart, 2) == "leave tell(1) work(restart,,2)");
    CHECK(up(done(commit_a)) == "finish(2,0) sync(b)");
    CHECK(up(tip(commit_b)) == "export(b)");
    CHECK(up(ExportEnded{}) == "tell(1) await(true)");
}

TEST_CASE("a deployment at its gate goes on at once when a command waits behind it that needs no place") {
    Drive drive = at_gate(true);
    CHECK(drive(Op::restart, 2) == "leave open tell(2)");
    CHECK(drive(deployed(commit_b)) == "persist note finish(1,0) work(restart,,2)");
}

TEST_CASE("what runs is healed while its next version waits for a place") {
    const Surveyed dead{commit_a, Health::degraded, true, false, "web exited with status 137"};
    Drive drive = queued(true);
    CHECK(due(drive.state) == drive.state.next_sync);
    drive.now = drive.state.next_sync;
    drive(Tick{});
    CHECK(drive.state.drift.asked);
    CHECK(due(drive.state) == drive.now + 60s);
    CHECK(drive(dead) == "warn leave tell(1) work(heal,,0)");
    CHECK(drive(done(commit_a)) == "note sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
}

// Whose turn it is: many requests at once, rollbacks by hand, and the host's limit: the tables.
#include "core/quarantine.hpp"
#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Commit b is being deployed by a poll.
Drive deploying_service() {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    CHECK(drive(ExportEnded{}) == "persist work(deploy,b,0)");
    return drive;
}

WorkEnded rolled_back_to(const std::string& commit) {
    return {0, Outcome::ok, std::nullopt, commit, Health::healthy};
}

} // namespace

TEST_CASE("an up that wants what is being deployed ends with that deployment and as it does") {
    Drive drive = deploying_service();
    CHECK(drive(Op::up, 1) == "sync(b)"); // what upstream has now, beside the deployment
    CHECK(drive(tip(commit_b)) == "tell(1) attach(1,2)");
    CHECK(drive(Op::up, 2, {"--commit", "bbbbbbb"}) == "tell(2) attach(2,2)");
    CHECK(drive(deployed(commit_b)) == "persist note tell(1) tell(2) finish(1,0) finish(2,0)");

    Drive failing = deploying_service();
    failing(Op::sync, 1);
    failing(tip(commit_b));
    const WorkEnded failed{exit_status::rolled_back, Outcome::rolled_back,
                           Error{Code::permanent, "web ended with 3"}, commit_a, Health::healthy};
    CHECK(failing(failed) == "persist warn tell(1) tell(1) finish(1,80)");
}

TEST_CASE("those that come while upstream is asked for the one before them end with the deployment too") {
    Drive drive = deploying_service();
    CHECK(drive(Op::up, 1) == "sync(b)");
    CHECK(drive(Op::up, 2, {"--commit", "bbbbbbb"}) == "tell(2)"); // behind one that has no answer yet
    CHECK(drive(Op::up, 3) == "tell(3)");
    CHECK(drive(tip(commit_b)) == "tell(1) attach(1,2) tell(2) attach(2,2) sync(b)");
    CHECK(drive(tip(commit_b)) == "tell(3) attach(3,2)"); // the answer before was older than this one
    CHECK(drive(deployed(commit_b)) ==
          "persist note tell(1) tell(2) tell(3) finish(1,0) finish(2,0) finish(3,0)");

    Drive in_vain = deploying_service();
    in_vain(Op::up, 1);
    in_vain(Op::up, 2, {"--commit", "bbbbbbb"});
    CHECK(in_vain(unreachable(commit_b)) == "");
    CHECK(in_vain(deployed(commit_b)) == "persist note tell(1) sync(b)"); // asked again, in its turn
}

TEST_CASE("an up that wants something newer than what is being deployed waits for its turn") {
    Drive drive = deploying_service();
    CHECK(drive(Op::up, 1) == "sync(b)");
    CHECK(drive(tip(commit_c)) == "note tell(1)");
    CHECK(drive(deployed(commit_b)) == "persist note sync(c)");
    CHECK(drive.state.durable.quarantine.empty()); // the tip moved on by itself, nobody holds it back
    CHECK(drive(tip(commit_c)) == "export(c)");
    CHECK(drive(ExportEnded{}) == "persist work(deploy,c,1)");
}

TEST_CASE("upstream's answer beside a deployment that has ended goes before what waits") {
    Drive drive = deploying_service();
    drive(Op::up, 1);
    CHECK(drive(deployed(commit_b)) == "persist note");
    CHECK(drive(tip(commit_b)) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
}

TEST_CASE("requests that wait are done at once, by the newest commit, and the others are superseded") {
    Drive drive = deploying_service();
    drive(Op::restart, 1);
    drive(Op::up, 2, {"--commit", commit_a});
    drive(Op::up, 3);
    drive(Op::sync, 4);
    drive(Op::pull, 5);
    CHECK(drive(deployed(commit_b)) == "persist note work(restart,,1)");
    CHECK(drive(WorkEnded{0, {}, {}, commit_b, Health::healthy}) == "finish(1,0) tell(2) tell(4) sync(b)");
    drive(tip(commit_c));
    CHECK(drive(ExportEnded{}) ==
          "persist supersede(3,a,c) tell(2) work(deploy,c,3) attach(2,4) attach(4,4)");
    CHECK(drive(deployed(commit_c)) ==
          "persist note tell(2) tell(4) finish(3,0) finish(2,0) finish(4,0) sync(c)");
}

TEST_CASE("a commit that somebody waited for and that never had its turn is superseded") {
    Drive drive = deploying_service();
    drive(Op::up, 1);
    drive(tip(commit_c));
    drive(deployed(commit_b));
    CHECK(drive(tip(std::string(40, 'd'))) == "note export(d)");
    CHECK(drive(ExportEnded{}) == "persist supersede(3,c,d) tell(1) work(deploy,d,1)");
}

TEST_CASE("a down between two ups cancels the one before it and is carried out before the other") {
    Drive drive = deploying_service();
    drive(Op::restart, 1);
    drive(Op::up, 2);
    CHECK(has(drive(Op::down, 3), "cancel"));
    drive(Op::up, 4);
    CHECK(drive(cancelled()) == "persist note work(restart,,1)");
    CHECK(drive(WorkEnded{0, {}, {}, commit_b, Health::healthy}) ==
          "finish(1,0) tell(2) finish(2,1) work(down,,3)"); // it would be taken down at once
    CHECK(drive(WorkEnded{0, {}, {}, "", Health::missing}) == "finish(3,0) sync(b)");
}

TEST_CASE("a full host makes deployments wait for their turn, and nothing else") {
    Drive drive = settled_service();
    drive.settings.room = {false, false, false};
    CHECK(drive(Op::up) == "sync(a)");
    CHECK(drive(tip(commit_b)) == "note export(b)");
    CHECK(drive(ExportEnded{}) == "tell(7) persist await(true)");
    CHECK(has(drive.told(), "leave room to fetch and build"));
    CHECK(drive.place() == Place::preparing);
    CHECK(drive(TurnCame{}) == "persist work(deploy,b,7)");
    CHECK(drive(deployed(commit_b)) == "persist note finish(7,0)");
    CHECK(drive(TurnCame{}) == "");
    for (const Op op : {Op::stop, Op::restart, Op::start, Op::down}) {
        Drive other = settled_service();
        other.settings.room = {false, false, false};
        CHECK(has(other(op), "work("));
    }
}

TEST_CASE("down and suspend do not wait behind a deployment that waits for its turn") {
    const auto queued = [](bool by_command) {
        Drive drive = settled_service();
        drive.settings.room.preparing = false;
        drive.now += 60s;
        by_command ? drive(Op::up, 1) : drive(Tick{});
        drive(tip(commit_b));
        CHECK(has(drive(ExportEnded{}), by_command ? "await(true)" : "await(false)"));
        return drive;
    };
    Drive up = queued(true);
    CHECK(up(Op::down, 2) == "leave tell(1) finish(1,1) persist note work(down,,2)");
    Drive poll = queued(false);
    CHECK(poll(Op::suspend, 2) == "persist note tell(2) leave finish(2,0)");
    CHECK(poll(TurnCame{}) == "");
    Drive gone = queued(false);
    CHECK(has(gone(Removed{}), "leave work(down,,0)"));
    Drive userless = queued(true);
    CHECK(has(userless(Unavailable{"user \"x\" does not exist"}), "leave tell(1) finish(1,1)"));
}

TEST_CASE("rollback by hand asks nobody, and holds the tip back until resume or something newer") {
    Drive drive = settled_service();
    drive(Op::up);
    drive(tip(commit_b));
    drive(ExportEnded{});
    drive(deployed(commit_b));
    CHECK(drive(Op::rollback, 7, {"1"}) == "persist work(rollback,,7)");
    const auto start = std::get<StartWork>(drive.actions.back());
    CHECK(start.trigger == Trigger::rollback);
    CHECK(start.args == std::vector<std::string>{"1"});
    CHECK(start.deployment == 3);
    CHECK(drive(rolled_back_to(commit_a)) == "persist note note tell(7) finish(7,0)");
    CHECK(has(drive.told(), "rolled back by " + miek + " to aaaaaaaa"));
    CHECK(drive.state.durable.last_good == commit_a);
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "");
    CHECK(drive(Op::up) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "tell(7) finish(7,65)");

    Drive newer = drive;
    newer(Op::sync);
    CHECK(newer(tip(commit_c)) == "note export(c)");
    CHECK(drive(Op::resume) == "persist note tell(7) finish(7,0) sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
}

TEST_CASE("a rollback to what is not kept any more changes nothing, one that fails is no quarantine") {
    Drive drive = settled_service();
    drive(Op::down);
    drive(WorkEnded{0, {}, {}, "", Health::missing});
    drive(Op::rollback, 7, {"17"});
    CHECK(drive.state.durable.intent.desired == Desired::running);
    CHECK(drive(WorkEnded{
              exit_status::rejected, {}, Error{Code::gone, "kept are 3, 2"}, "", Health::missing}) ==
          "persist note finish(7,65)");
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
    CHECK(drive.state.durable.outcome == Outcome::ok);

    Drive failing = settled_service();
    failing(Op::rollback);
    CHECK(failing(WorkEnded{exit_status::rolled_back, Outcome::rolled_back,
                            Error{Code::permanent, "web ended with 3"}, commit_a, Health::healthy}) ==
          "persist warn finish(7,80)");
    CHECK(failing.state.durable.quarantine.empty());
    CHECK(failing.state.durable.reason == "web ended with 3");
}

TEST_CASE("a rollback right after a start first learns what it is to hold back, upstream or no") {
    Drive drive;
    drive.state.durable.settled = commit_b;
    drive.state.durable.outcome = Outcome::ok;
    drive(Op::rollback);
    CHECK(drive(Recovered{commit_b, Health::healthy}) == "sync()");
    CHECK(drive(unreachable(commit_b)) == "note warn persist work(rollback,,7)");
    drive(rolled_back_to(commit_a));
    CHECK(find_quarantined(drive.state.durable, commit_b)->held);
}

TEST_CASE("rollback takes a number or a commit") {
    Drive drive = settled_service();
    CHECK(drive(Op::rollback, 7, {"yesterday"}) == "tell(7) finish(7,64)");
}

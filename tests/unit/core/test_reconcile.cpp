#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

TEST_CASE("the first start clones and deploys") {
    const Drive drive = settled_service();
    CHECK(drive.state.running == commit_a);
    CHECK(drive.state.durable.deployments == 1);
    CHECK(due(drive.state) == start_time + 60s);
}

TEST_CASE("a poll that finds nothing new touches nothing") {
    Drive drive = settled_service();
    CHECK(drive(Tick{}) == "");
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync(a)");
    CHECK(drive(tip(commit_a)) == "");
    CHECK(due(drive.state) == drive.now + 60s);
}

TEST_CASE("a new commit is deployed, a rejected one is not tried again by itself") {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "note export(b)");
    CHECK(drive(ExportEnded{}) == "persist work(deploy,b,0)");
    CHECK(drive(rejected(commit_a)) == "persist warn");
    CHECK(drive.state.running == commit_a);
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "");
    CHECK(drive(Op::sync) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "tell(7) finish(7,0)");
    CHECK(drive.told().find("privileged") != std::string::npos);
}

TEST_CASE("up tries what was rejected again") {
    Drive drive = settled_service();
    drive(Op::sync);
    drive(tip(commit_b));
    drive(ExportEnded{});
    CHECK(drive(rejected(commit_a)) == "persist warn finish(7,65)");
    CHECK(drive(Op::up) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
    CHECK(drive(ExportEnded{}) == "persist work(deploy,b,7)");
}

TEST_CASE("down stays down across polls, commits and restarts, until up") {
    Drive drive = settled_service();
    CHECK(drive(Op::down) == "persist note work(down,,7)");
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
    CHECK(drive.state.durable.intent.by == "miek (SHA256:x) from 192.0.2.1");
    CHECK(drive(WorkEnded{0, {}, {}, "", Health::missing}) == "persist finish(7,0)");
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync(a)");
    CHECK(drive(tip(commit_b)) == "note persist");

    Drive restarted;
    restarted.state.durable = drive.state.durable;
    CHECK(restarted(Recovered{commit_a, Health::missing}) == "sync()");
    CHECK(restarted(tip(commit_b)) == "note");
    CHECK(restarted(Op::up, 9) == "persist note sync(b)");
    CHECK(restarted(tip(commit_b)) == "export(b)");
}

TEST_CASE("a down that comes while a poll stages a commit wins") {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "note export(b)");
    CHECK(drive(Op::down) == "persist note tell(7)");
    CHECK(drive(ExportEnded{}) == "work(down,,7)");
}

TEST_CASE("commands wait for what the service is doing and run in turn") {
    Drive drive = settled_service();
    CHECK(drive(Op::up, 1) == "sync(a)");
    CHECK(drive(Op::restart, 2) == "tell(2)");
    CHECK(drive(Op::pull, 3) == "tell(3)");
    drive(tip(commit_a));
    drive(ExportEnded{});
    CHECK(drive(deployed(commit_a)) == "persist note finish(1,0) work(restart,,2)");
    CHECK(drive(WorkEnded{0, {}, {}, commit_a, Health::healthy}) == "finish(2,0) sync(a)");
    CHECK(drive(tip(commit_a)) == "export(a)");
    CHECK(drive(ExportEnded{}) == "work(pull,a,3)");
}

TEST_CASE("a first clone that fails is retried for ever, ever later, never later than the interval") {
    Drive drive;
    drive(Recovered{"", Health::missing});
    const std::vector<std::chrono::milliseconds> delays{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s};
    for (const auto delay : delays) {
        drive(unreachable());
        CHECK(due(drive.state) == drive.now + delay);
        drive.now += delay;
        CHECK(drive(Tick{}) == "sync()");
    }
    CHECK(drive(tip(commit_a)) == "note note export(a)");
}

TEST_CASE("an outage of upstream changes nothing and is said once") {
    Drive drive = settled_service();
    for (int poll = 0; poll < 3; ++poll) {
        drive.now += 60s;
        drive(Tick{});
        CHECK(drive(unreachable(commit_a)) == (poll == 0 ? "warn persist" : ""));
        CHECK(due(drive.state) == drive.now + 60s);
    }
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_a)) == "note persist");
}

TEST_CASE("up during an outage goes on with the commit fetched last; sync fails") {
    Drive drive = settled_service();
    CHECK(drive(Op::up) == "sync(a)");
    CHECK(drive(unreachable(commit_a)) == "warn tell(7) export(a)");
    drive(ExportEnded{});
    drive(deployed(commit_a));
    CHECK(drive(Op::sync) == "sync(a)");
    CHECK(drive(unreachable(commit_a)) == "tell(7) persist finish(7,1)");
}

TEST_CASE("the class of a failure decides whether a deployment is tried again") {
    struct Row {
        Code code;
        bool again;
    };
    for (const Row row : {Row{Code::transient, true}, Row{Code::timeout, true}, Row{Code::permanent, false},
                          Row{Code::denied, false}, Row{Code::invalid, false}, Row{Code::internal, false}}) {
        CAPTURE(name_of(row.code));
        Drive drive = settled_service();
        drive.now += 60s;
        drive(Tick{});
        drive(tip(commit_b));
        drive(ExportEnded{});
        drive(WorkEnded{1, Outcome::failed, Error{row.code, "registry: refused"}, commit_a, Health::healthy});
        CHECK(drive.state.next_deploy.has_value() == row.again);
        drive.now += 2s;
        CHECK(drive(Tick{}) == (row.again ? "export(b)" : ""));
    }
}

TEST_CASE("containers that are gone after a reboot are brought back, stopped ones are not") {
    Drive drive;
    drive.state.durable.settled = commit_a;
    drive.state.durable.outcome = Outcome::ok;
    CHECK(drive(Recovered{commit_a, Health::missing}) == "sync()");
    CHECK(drive(tip(commit_a)) == "note export(a)");

    Drive stopped;
    stopped.state.durable = drive.state.durable;
    stopped.state.durable.intent.desired = Desired::stopped;
    CHECK(stopped(Recovered{commit_a, Health::missing}) == "sync()");
    CHECK(stopped(tip(commit_a)) == "note persist");
}

TEST_CASE("a restart with nothing changed redeploys nothing") {
    Drive drive;
    drive.state.durable.settled = commit_a;
    drive.state.durable.outcome = Outcome::ok;
    CHECK(drive(Recovered{commit_a, Health::healthy}) == "sync()");
    CHECK(drive(tip(commit_a)) == "note persist");
}

TEST_CASE("an unknown user refuses that service's commands and is said once") {
    Drive drive;
    drive.state.phase = phase::Unavailable{};
    CHECK(drive(Unavailable{"user \"x\" does not exist"}) == "warn persist");
    CHECK(drive(Unavailable{"user \"x\" does not exist"}) == "");
    CHECK(drive(Op::up) == "tell(7) finish(7,1)");
    CHECK(drive(Available{}) == "recover");
    CHECK(drive(Op::up) == "tell(7)"); // desired is running already
    CHECK(drive(Recovered{"", Health::missing}) == "sync()");
}

TEST_CASE("a user who is gone at a poll ends what waits for it, and what was asked for is taken back") {
    const Unavailable gone{"user \"x\" does not exist", true};
    Drive poll = settled_service();
    poll.now += 60s;
    poll(Tick{});
    CHECK(poll(gone) == "warn persist");
    CHECK(poll(tip(commit_b)) == ""); // an answer that comes late is nobody's
    CHECK_FALSE(due(poll.state));
    CHECK(poll(Available{}) == "recover");
    CHECK(poll(Recovered{commit_a, Health::healthy}) == "sync(a)");

    Drive command = settled_service();
    command(Op::down);
    command(WorkEnded{0, {}, {}, "", Health::missing});
    command(Op::up, 1);
    command(Op::sync, 2);
    CHECK(command(gone).ends_with("tell(1) finish(1,1) tell(2) finish(2,1)"));
    CHECK(command.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("a commit that could not be staged has the local repository looked at by the next sync") {
    Drive drive = settled_service();
    drive(Op::up);
    drive(tip(commit_b));
    CHECK(drive(ExportEnded{Error{Code::internal, "repository: object missing"}, {}}) ==
          "tell(7) persist warn finish(7,1)");
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync()");
    CHECK(drive(tip(commit_b)) == "export(b)"); // and the commit is tried again by itself
    drive(ExportEnded{});
    drive(deployed(commit_b));
    CHECK(drive(Op::sync) == "sync(b)");
}

TEST_CASE("changed settings judge the tip again") {
    Drive drive = settled_service();
    CHECK(drive(Reconfigured{}) == "persist sync()");
    CHECK(drive(tip(commit_a)) == "export(a)");
}

TEST_CASE("a stop that names no compose service of ours asked for nothing") {
    Drive drive = settled_service();
    CHECK(drive(Op::stop) == "persist note work(stop,,7)");
    CHECK(drive(WorkEnded{
              exit_status::usage, {}, Error{Code::invalid, "no such service"}, commit_a, Health::healthy}) ==
          "persist note finish(7,64)");
    CHECK(drive.state.durable.intent.desired == Desired::running);
}

TEST_CASE("a service that is no longer configured is taken down once it is idle, and then nothing more") {
    Drive drive = settled_service();
    drive(Op::up, 1);
    drive(Op::restart, 2);
    CHECK(drive(Removed{}) == "note tell(2) finish(2,1)");
    CHECK(drive(tip(commit_a)) == "tell(1) finish(1,1) work(down,,0)");
    CHECK(drive(Op::up, 3) == "tell(3) finish(3,1)");
    CHECK(drive(WorkEnded{0, {}, {}, "", Health::missing}) == "retire");
    CHECK_FALSE(due(drive.state));

    Drive after_start;
    CHECK(after_start(Removed{}) == "note");
    CHECK(after_start(Recovered{commit_a, Health::healthy}) == "work(down,,0)");
    CHECK(after_start(WorkEnded{1, {}, Error{Code::timeout, "podman hangs"}, commit_a, Health::unknown}) ==
          "warn");

    CHECK(after_start(Removed{}) == "work(down,,0)"); // asked again
    after_start(WorkEnded{1, {}, Error{Code::timeout, "podman hangs"}, commit_a, Health::unknown});
    CHECK(after_start(Reconfigured{}) == "recover"); // and wanted again
    CHECK(after_start(Recovered{commit_a, Health::healthy}) == "sync()");

    Drive userless;
    userless.state.phase = phase::Unavailable{};
    userless(Unavailable{"user \"x\" does not exist", true});
    CHECK(userless(Removed{}) == "note retire");

    Drive not_ready; // what it ran is still there
    not_ready.state.phase = phase::Unavailable{};
    not_ready(Unavailable{"/run/user/1000 is missing", false});
    CHECK(not_ready(Removed{}) == "note");
    CHECK(not_ready(Available{}) == "recover");
    CHECK(not_ready(Recovered{commit_a, Health::healthy}) == "work(down,,0)");
}

TEST_CASE("a service that is no longer configured and is left alone ends without touching a container") {
    const Removed leave{.take_down = false};
    Drive idle = settled_service();
    CHECK(idle(leave) == "retire");

    Drive syncing = settled_service(); // it begins nothing new
    syncing(Op::up, 1);
    CHECK(syncing(leave) == "");
    CHECK(syncing(tip(commit_a)) == "tell(1) finish(1,1) retire");

    Drive exporting = settled_service();
    exporting(Op::up, 1);
    exporting(tip(commit_a));
    CHECK(exporting(leave) == "");
    CHECK(exporting(ExportEnded{}) == "tell(1) finish(1,1) retire");

    Drive not_ready;
    not_ready.state.phase = phase::Unavailable{};
    not_ready(Unavailable{"/run/user/1000 is missing", false});
    CHECK(not_ready(leave) == "retire");

    Drive again = settled_service(); // it came back before it was gone
    again(Op::up, 1);
    again(leave);
    again(Reconfigured{});
    CHECK_FALSE(again.state.removal);
}

TEST_CASE("a removal answers the client whose down it met") {
    Drive drive = settled_service();
    drive(Op::down);
    drive(Removed{});
    CHECK(drive(WorkEnded{0, {}, {}, "", Health::missing}) == "finish(7,0) retire");
}

TEST_CASE("a worker that is lost has the containers looked at and the commit tried again") {
    Drive drive = settled_service();
    drive(Op::up);
    drive(tip(commit_b));
    drive(ExportEnded{});
    CHECK(
        drive(WorkEnded{70, {}, Error{Code::internal, "the worker was killed"}, commit_a, Health::unknown}) ==
        "persist warn finish(7,70) recover");
    CHECK(drive(Recovered{commit_a, Health::missing}) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
}

TEST_CASE("a start that finds nothing to start changes no intent") {
    Drive drive = settled_service();
    drive(Op::down);
    drive(WorkEnded{0, {}, {}, "", Health::missing});
    drive(Op::start);
    drive(WorkEnded{1, {}, Error{Code::gone, "there are no containers"}, "", Health::missing});
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("an intent that somebody else has confirmed is not taken back") {
    Drive drive = settled_service();
    drive(Op::stop, 1);
    drive(Op::down, 2);
    drive(WorkEnded{
        exit_status::usage, {}, Error{Code::invalid, "no such service"}, commit_a, Health::healthy});
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("settings that change during a deployment have its commit judged again") {
    Drive drive = settled_service();
    drive(Op::up);
    drive(tip(commit_b));
    drive(ExportEnded{});
    drive(Reconfigured{});
    CHECK(drive(deployed(commit_b)) == "persist note finish(7,0) sync()");
    CHECK(drive(tip(commit_b)) == "export(b)");
    drive(ExportEnded{});
    CHECK(drive(deployed(commit_b)) == "persist note");
}

TEST_CASE("settings that change during a sync have upstream asked again") {
    Drive drive = settled_service();
    CHECK(drive(Op::sync) == "sync(a)");
    CHECK(drive(Reconfigured{.other_source = true}) == "persist");
    CHECK(drive(tip(commit_b)) == "sync()");
    CHECK(drive(tip(commit_a)) == "note export(a)");
}

TEST_CASE("a clock that is set back does not stop the polls") {
    Drive drive = settled_service();
    drive.now -= 24h;
    CHECK(drive(Tick{}) == "sync(a)");
}

TEST_CASE("a clock that is set back, or ahead, does not put off what is tried again") {
    for (const auto jump : {-24h * 365, 24h * 365}) {
        Drive drive = settled_service();
        drive(Op::sync);
        drive(tip(commit_b));
        drive(ExportEnded{});
        drive(WorkEnded{1, Outcome::failed, Error{Code::transient, "the disk is full"}, commit_a,
                        Health::healthy});
        REQUIRE(drive.state.next_deploy);
        drive.now += jump;
        CHECK(drive(Tick{}) == "sync(b)");
        CHECK(drive(tip(commit_b)) == "export(b)");
    }
}

TEST_CASE("what could not be staged is tried again by way of the local repository") {
    Drive drive = settled_service();
    drive(Op::up);
    drive(tip(commit_b));
    drive(ExportEnded{Error{Code::internal, "repository: object missing"}, {}});
    drive.now = *drive.state.next_deploy;
    CHECK(drive(Tick{}) == "sync()");
    CHECK(drive(tip(commit_b)) == "export(b)");
}

TEST_CASE("a queue that is full refuses with busy") {
    Drive drive = settled_service();
    drive(Op::up, 1);
    for (CommandId id = 2; id < 34; ++id)
        drive(Op::restart, id);
    CHECK(drive(Op::restart, 99) == "tell(99) finish(99,75)");
}

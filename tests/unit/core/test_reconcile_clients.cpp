// What a CI job relies on: the commit that it names serves when `up` ends with 0, and how long it waits.
#include "core/intent_options.hpp"
#include "core/quarantine.hpp"
#include "core/time_text.hpp"
#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

ExportEnded exported(const std::string& commit, std::vector<NamedCommit> named = {}) {
    return {std::nullopt, commit, std::move(named)};
}

NamedCommit on_branch(const std::string& digits, const std::string& commit, bool serves = false) {
    return {digits, commit, serves, {}};
}

NamedCommit off_branch(const std::string& digits) {
    return {digits, {}, false, "commit " + digits + " is not on the branch that is followed"};
}

WorkEnded broken(const std::string& running) {
    return {exit_status::rolled_back, Outcome::rolled_back, Error{Code::permanent, "web ended with 3"},
            running, Health::healthy};
}

// A service that runs commit a; its tip c was deployed and rolled back.
Drive with_a_bad_tip() {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_c));
    drive(ExportEnded{});
    CHECK(drive(broken(commit_a)) == "persist warn");
    return drive;
}

} // namespace

TEST_CASE("up ends with one line: the outcome, the commit and the time") {
    Drive drive = settled_service();
    drive(Op::up);
    drive(tip(commit_b));
    drive(exported(commit_b));
    Drive failing = drive;
    drive.now += 12'340ms;
    drive(deployed(commit_b));
    CHECK(drive.last_of(7) == "ok: commit bbbbbbbb, after 12.3 s");
    failing.now += 2s;
    failing(broken(commit_a));
    CHECK(failing.last_of(7) == "rolled-back: commit bbbbbbbb, after 2.0 s");
    failing(Op::up);
    failing(tip(commit_b));
    CHECK(failing.last_of(7) == "rejected: commit bbbbbbbb, after 0.0 s");
    drive(Op::down);
    drive(WorkEnded{0, {}, {}, "", Health::missing});
    CHECK(drive.last_of(7).empty()); // only what brings a commit ends so
    Drive nothing;
    nothing(Recovered{"", Health::missing});
    nothing(unreachable());
    nothing(Op::up);
    nothing(unreachable());
    CHECK(nothing.last_of(7) == "failed: after 0.0 s");
}

TEST_CASE("up --commit brings the tip, which has the commit that is named") {
    Drive drive = settled_service();
    CHECK(drive(Op::up, 7, {"--commit", "BBBB"}) == "sync(a)");
    CHECK(drive(tip(commit_c)) == "note export(c)");
    const auto start = std::get<StartExport>(drive.actions.back());
    CHECK(start.named == std::vector<std::string>{"bbbb"});
    CHECK(start.serving == commit_a);
    CHECK_FALSE(start.on_branch);
    CHECK(drive(exported(commit_c, {on_branch("bbbb", commit_b)})) ==
          "persist supersede(2,b,c) tell(7) work(deploy,c,7)");
    CHECK(drive(deployed(commit_c)) == "persist note finish(7,0)");
    CHECK(drive.last_of(7) == "ok: commit cccccccc, which contains bbbbbbbb, after 0.0 s");
    // A pipeline that is run again later: its commit has long been served, and nobody goes back to it.
    drive(Op::up, 8, {"--commit", commit_a});
    drive(tip(commit_c));
    CHECK(drive(exported(commit_c, {on_branch(commit_a, commit_a, true)})) == "persist work(deploy,c,8)");
    CHECK(drive(deployed(commit_c)) == "persist note finish(8,0)");
    CHECK(drive.state.durable.quarantine.empty());
}

TEST_CASE("a commit that is not on the branch is refused, and nothing was asked for") {
    Drive drive = settled_service();
    drive(Op::down);
    drive(WorkEnded{0, {}, {}, "", Health::missing});
    drive(Op::up, 7, {"--commit", "dead"});
    drive(tip(commit_a));
    CHECK(drive(exported(commit_a, {off_branch("dead")})) == "tell(7) persist note finish(7,65)");
    CHECK(drive.last_of(7) == "rejected: commit dead, after 0.0 s");
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
    CHECK(drive.state.durable.outcome == Outcome::ok); // no deployment was attempted
}

TEST_CASE("of jobs that are done at once, the one whose commit is not on the branch is refused alone") {
    for (const bool newest : {false, true}) {
        CAPTURE(newest);
        Drive drive = settled_service();
        drive(Op::restart, 1);
        drive(Op::up, 2, {"--commit", newest ? "bbbb" : "dead"});
        drive(Op::up, 3, {"--commit", newest ? "dead" : "bbbb"});
        drive(WorkEnded{0, {}, {}, commit_a, Health::healthy});
        CHECK(drive(tip(commit_b)) == "note export(b)");
        const std::string next = drive(exported(commit_b, {on_branch("bbbb", commit_b), off_branch("dead")}));
        if (newest) { // it stood for both
            CHECK(next == "tell(3) finish(3,65) sync(b)");
            drive(tip(commit_b));
            CHECK(drive(exported(commit_b, {on_branch("bbbb", commit_b)})) == "persist work(deploy,b,2)");
        } else {
            CHECK(next == "tell(2) finish(2,65) persist work(deploy,b,3)");
        }
    }
}

TEST_CASE("a bad tip does not keep out a good commit before it, and nobody goes back behind what serves") {
    Drive drive = with_a_bad_tip();
    Drive tip_itself = drive;
    CHECK(drive(Op::up, 7, {"--commit", "bbbb"}) == "sync(c)");
    CHECK(drive(tip(commit_c)) == "tell(7) export(b)");
    CHECK(std::get<StartExport>(drive.actions.back()).on_branch);
    CHECK(has(drive.told(), "cccccccc is quarantined"));
    CHECK(drive(exported(commit_b, {on_branch("bbbb", commit_b)})) == "persist work(deploy,b,7)");
    CHECK(drive(deployed(commit_b)) == "persist note finish(7,0)");
    CHECK_FALSE(find_quarantined(drive.state.durable, commit_c)->held);

    drive(Op::up, 8, {"--commit", "aaaa"});
    drive(tip(commit_c));
    CHECK(drive(exported(commit_a, {on_branch("aaaa", commit_a, true)})) == "finish(8,0)");
    CHECK(drive.last_of(8) == "ok: commit bbbbbbbb, which contains aaaaaaaa, after 0.0 s");

    tip_itself(Op::up, 9, {"--commit", "cccc"}); // the operator's word ends the quarantine
    CHECK(tip_itself(tip(commit_c)) == "export(c)");
    CHECK(tip_itself(exported(commit_c, {on_branch("cccc", commit_c)})) == "note persist work(deploy,c,9)");
}

TEST_CASE("with a bad tip each job is judged by itself") {
    Drive drive = with_a_bad_tip();
    drive(Op::restart, 1);
    drive(Op::up, 2, {"--commit", "bbbb"});
    drive(Op::up, 3);
    drive(WorkEnded{0, {}, {}, commit_a, Health::healthy});
    CHECK(drive(tip(commit_c)) == "tell(3) finish(3,65) sync(c)");
    CHECK(drive(tip(commit_c)) == "tell(2) export(b)");
}

TEST_CASE("--no-wait leaves when the work begins, when it joins, or when it would wait for its turn") {
    Drive drive = settled_service();
    CHECK(drive(Op::up, 7, {"--no-wait"}) == "sync(a)");
    CHECK(drive(tip(commit_b)) == "note export(b)"); // until here it may be refused
    CHECK(drive(exported(commit_b)) == "tell(7) finish(7,0) persist work(deploy,b,0)");
    CHECK(std::get<StartWork>(drive.actions.back()).who == miek);
    CHECK(drive(Op::up, 8, {"--no-wait", "--commit", "bbbb"}) == "tell(8) tell(8) finish(8,0)");
    CHECK(drive(Op::up, 9, {"--no-wait"}) == "sync(b) tell(9) finish(9,0)");
    CHECK(drive(deployed(commit_b)) == "persist note");
    Drive refused = with_a_bad_tip();
    refused(Op::up, 7, {"--no-wait"});
    CHECK(refused(tip(commit_c)) == "tell(7) finish(7,65)");
}

TEST_CASE("--timeout ends the waiting and nothing else") {
    Drive drive = settled_service();
    drive(Op::up, 7, {"--timeout", "30s"});
    drive(tip(commit_b));
    drive(exported(commit_b));
    CHECK(due(drive.state) == drive.now + 30s);
    drive(Op::up, 8, {"--timeout=5", "--commit", "bbbb"}); // one that joined
    drive(Op::restart, 9);
    drive(Op::up, 10, {"--timeout", "10"}); // one that waits
    CHECK(due(drive.state) == drive.now + 5s);
    drive.now += 5s;
    CHECK(drive(Tick{}) == "tell(8) finish(8,75)");
    CHECK(has(drive.told(), "goes on at the server"));
    CHECK(drive.last_of(8) == "timed out: commit bbbbbbbb, after 5.0 s");
    drive.now += 25s;
    CHECK(drive(Tick{}) == "tell(7) finish(7,75) tell(10) finish(10,75)");
    CHECK_FALSE(due(drive.state));
    CHECK(drive(deployed(commit_b)) == "persist note work(restart,,9)");
    CHECK(drive(WorkEnded{0, {}, {}, commit_b, Health::healthy}) ==
          "finish(9,0) sync(b)"); // it is done all the same
}

TEST_CASE("those whose requests are done at once read what the deployment says") {
    Drive drive = settled_service();
    drive(Op::restart, 1);
    drive(Op::up, 2);
    drive(Op::up, 3);
    drive(WorkEnded{0, {}, {}, commit_a, Health::healthy});
    drive(tip(commit_b));
    CHECK(drive(exported(commit_b)) == "persist work(deploy,b,3) attach(2,2)");
}

TEST_CASE("the options of up") {
    const auto parse = [](std::vector<std::string> args) {
        return parse_up(args);
    };
    CHECK(parse({})->wait);
    CHECK_FALSE(parse({"--no-wait"})->wait);
    CHECK(parse({"--no-wait", "--wait"})->wait);
    CHECK(parse({"--timeout", "90"})->timeout == 90s);
    CHECK(parse({"--timeout=2h"})->timeout == 2h);
    for (const char* wrong : {"0", "0s", "-1", "1w", "", "soon", "367d", "1.5m"}) {
        CAPTURE(wrong);
        const auto options = parse({"--timeout", wrong});
        REQUIRE_FALSE(options);
        CHECK(has(options.error().message, "90s, 30m or 2h"));
    }
    CHECK_FALSE(parse({"--timeout"}));
    CHECK_FALSE(parse({"--patience", "5s"}));
}

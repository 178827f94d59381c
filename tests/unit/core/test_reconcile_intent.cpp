// What operators ask for, and what commits that went wrong lead to: the tables.
#include "core/intent_options.hpp"
#include "core/quarantine.hpp"
#include "core/time_text.hpp"
#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

WorkEnded broken(const std::string& running, Outcome outcome = Outcome::rolled_back,
                 Code code = Code::permanent) {
    return {outcome == Outcome::rolled_back ? exit_status::rolled_back : exit_status::failed, outcome,
            Error{code, "web ended with 3"}, running, Health::healthy};
}

// A service that runs commit a; its tip b was deployed and rolled back.
Drive quarantined_service() {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    drive(ExportEnded{});
    CHECK(drive(broken(commit_a)) == "persist warn");
    return drive;
}

// What a pgod that was started again has to go by.
Drive restarted(const Drive& before) {
    Drive drive;
    drive.settings = before.settings;
    drive.now = before.now;
    drive.state.durable = before.state.durable;
    drive(Recovered{before.state.running, Health::healthy});
    return drive;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("suspend leaves everything as it is across commits and restarts, and keys are still synced") {
    Drive drive = settled_service();
    CHECK(drive(Op::suspend, 7, {"moving", "the", "database"}) == "persist note tell(7) finish(7,0)");
    CHECK(has(drive.told(), "suspended by " + miek));
    CHECK(has(drive.told(), "moving the database"));
    CHECK(shown_desired(drive.state.durable) == Desired::suspended);
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync(a)");
    CHECK(drive(tip(commit_b)) == "note persist");
    CHECK(has(drive.decision(), "moving the database"));

    Drive after = restarted(drive);
    CHECK(after(tip(commit_b)) == "note");
    CHECK(after(Op::sync) == "sync(b)");
    CHECK(after(tip(commit_b)) == "tell(7) finish(7,0)");
    CHECK(after(Op::resume) == "persist note tell(7) finish(7,0) sync(b)");
    CHECK(after(tip(commit_b)) == "export(b)");
}

TEST_CASE("up and retry of a suspended service fail loudly, up --resume does not") {
    Drive drive = settled_service();
    drive(Op::suspend);
    CHECK(drive(Op::up) == "tell(7) finish(7,65)");
    CHECK(has(drive.told(), "up --resume"));
    CHECK(drive(Op::retry) == "tell(7) finish(7,65)");
    CHECK(drive(Op::up, 7, {"--resume"}) == "persist note sync(a)");
    CHECK_FALSE(drive.state.durable.suspension);
    CHECK(drive(tip(commit_b)) == "note export(b)");
}

TEST_CASE("down, stop, start and restart remain possible while suspended") {
    for (const auto& [op, desired] :
         {std::pair{Op::down, Desired::stopped}, std::pair{Op::stop, Desired::stopped},
          std::pair{Op::start, Desired::running}, std::pair{Op::restart, Desired::running}}) {
        Drive drive = settled_service();
        drive(Op::suspend);
        CHECK(has(drive(op), "work("));
        drive(WorkEnded{0, {}, {}, commit_a, Health::healthy});
        CHECK(drive.state.durable.intent.desired == desired);
        CHECK(drive.state.durable.suspension);
    }
}

TEST_CASE("a suspension until a time ends by itself, also when pgod did not run then") {
    Drive drive = settled_service();
    drive(Op::suspend, 7, {"--until", "30s"});
    CHECK(due(drive.state) == drive.now + 30s);
    drive.now += 30s;
    CHECK(drive(Tick{}) == "persist note sync(a)");
    CHECK_FALSE(drive.state.durable.suspension);
    CHECK(drive(tip(commit_b)) == "note export(b)");

    Drive later = settled_service();
    later(Op::suspend, 7, {"--until=2h"});
    later.now += 3h;
    Drive after = restarted(later);
    CHECK_FALSE(after.state.durable.suspension);
}

TEST_CASE("a suspension that comes while a poll stages a commit wins, a switch under way is finished") {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    drive(Op::suspend);
    CHECK(drive(ExportEnded{}) == "");

    Drive working = settled_service();
    working.now += 60s;
    working(Tick{});
    working(tip(commit_b));
    working(ExportEnded{});
    CHECK(working(GateReached{}) == "open");
    CHECK(working(Op::suspend) == "persist note tell(7) tell(7) finish(7,0)");
    CHECK(working(deployed(commit_b)) == "persist note");
    CHECK(working.state.running == commit_b);
}

TEST_CASE("an up that waited is refused when the service was suspended meanwhile, and asked for nothing") {
    Drive drive = settled_service();
    drive(Op::down, 1);
    drive(Op::up, 2);
    drive(Op::suspend, 3);
    CHECK(drive(WorkEnded{0, {}, {}, "", Health::missing}) ==
          "finish(1,0) tell(2) persist note finish(2,65)");
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("what suspend and up do not understand is a usage error that says what to write") {
    Drive drive = settled_service();
    CHECK(drive(Op::suspend, 7, {"--until", "tomorrow"}) == "tell(7) finish(7,64)");
    CHECK(drive(Op::suspend, 7, {"--until", "1970-01-01T00:00:00Z"}) == "tell(7) finish(7,64)");
    CHECK(drive(Op::suspend, 7, {"--until"}) == "tell(7) finish(7,64)");
    CHECK(drive(Op::suspend, 7, {"--utnil", "2h"}) == "tell(7) finish(7,64)");
    CHECK(drive(Op::up, 7, {"--commit", "main"}) == "tell(7) finish(7,64)");
    CHECK(drive(Op::up, 7, {"now"}) == "tell(7) finish(7,64)");
    CHECK_FALSE(drive.state.durable.suspension);
    CHECK(drive(Op::resume) == "tell(7) finish(7,0)");
}

TEST_CASE("times are UTC, from now or absolute") {
    const Time now{1'763'700'000s};
    CHECK(utc_text(now) == "2025-11-21T04:40:00Z");
    CHECK(*parse_until("90s", now) == now + 90s);
    CHECK(*parse_until("20m", now) == now + 20min);
    CHECK(*parse_until("3d", now) == now + 72h);
    CHECK(*parse_until("2025-11-21T05:40:00Z", now) == now + 1h);
    for (const char* bad : {"", "s", "0s", "-1h", "1.5h", "2 h", "2w", "2025-11-21 05:40:00Z",
                            "2025-11-21T05:40:00+01:00", "2025-02-30T00:00:00Z", "2025-11-21T24:00:00Z",
                            "2025-11-21T04:40:00Z", "99999999999999999999h", "400d", "2999-01-01T00:00:00Z"})
        CHECK_MESSAGE(!parse_until(bad, now), bad);
    CHECK(has(parse_until("2999-01-01T00:00:00Z", now).error().message,
              "2999-01-01T00:00:00Z is more than a year"));
}

TEST_CASE("a commit that was rolled back is left alone by polls, up and restarts") {
    Drive drive = quarantined_service();
    CHECK(has(drive.decision(), "bbbbbbbb is quarantined"));
    CHECK(has(drive.decision(), "web ended with 3"));
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "");
    CHECK(drive(Op::up) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "tell(7) finish(7,65)");
    CHECK(has(drive.told(), "retry or up --commit bbbbbbbb"));

    Drive after = restarted(drive);
    CHECK(after(tip(commit_b)) == "note");
    CHECK(after(Op::up) == "sync(b)");
    CHECK(after(tip(commit_b)) == "tell(7) finish(7,65)");
}

TEST_CASE("an up that is refused because of quarantine leaves a stopped service stopped") {
    Drive drive = quarantined_service();
    drive(Op::down);
    drive(WorkEnded{0, {}, {}, "", Health::missing});
    drive(Op::up);
    CHECK(drive(tip(commit_b)) == "tell(7) persist note finish(7,65)");
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("a new commit is deployed, and the bad one is still known when a force-push brings it back") {
    Drive drive = quarantined_service();
    drive(Op::sync);
    CHECK(drive(tip(commit_c)) == "note export(c)");
    drive(ExportEnded{});
    drive(deployed(commit_c));
    drive(Op::sync);
    CHECK(drive(tip(commit_b)) == "note tell(7) persist finish(7,0)");
    CHECK(has(drive.told(), "quarantined"));
}

TEST_CASE(
    "retry and up --commit deploy a quarantined commit, and one that runs then is quarantined no longer") {
    for (const bool named : {false, true}) {
        CAPTURE(named);
        Drive drive = quarantined_service();
        CHECK((named ? drive(Op::up, 7, {"--commit", "BBBB"}) : drive(Op::retry)) == "sync(b)");
        CHECK(drive(tip(commit_b)) == (named ? "export(b)" : "export(b)"));
        CHECK(drive(ExportEnded{{}, commit_b}) == "note persist work(deploy,b,7)");
        const auto& start = std::get<StartWork>(drive.actions.back());
        CHECK(start.trigger == (named ? Trigger::command : Trigger::retry));
        CHECK(start.who == miek);
        CHECK(start.commit == commit_b);
        CHECK(drive(deployed(commit_b)) == "persist note finish(7,0)");
        CHECK(drive.state.durable.quarantine.empty());
        CHECK(drive.state.durable.last_good == commit_b);
    }
    Drive again = quarantined_service();
    again(Op::retry);
    again(tip(commit_b));
    again(ExportEnded{{}, commit_b});
    CHECK(again(broken(commit_a)) == "persist warn tell(7) finish(7,80)");
    CHECK(again.state.durable.quarantine.size() == 1);
}

TEST_CASE("which causes quarantine, which are tried again, which are judged again by up") {
    struct Row {
        Outcome outcome;
        Code code;
        bool quarantined;
        bool again;
    };
    for (const Row row : {Row{Outcome::rolled_back, Code::permanent, true, false},
                          Row{Outcome::rolled_back, Code::timeout, true, false}, // it would stop all again
                          Row{Outcome::rolled_back, Code::transient, false, true},
                          Row{Outcome::failed, Code::permanent, true, false},
                          Row{Outcome::failed, Code::transient, false, true},
                          Row{Outcome::failed, Code::timeout, false, true},
                          Row{Outcome::rejected, Code::permanent, false, false},
                          Row{Outcome::cancelled, Code::timeout, false, true}}) {
        CAPTURE(name_of(row.outcome));
        CAPTURE(name_of(row.code));
        Drive drive = settled_service();
        drive(Op::up);
        drive(tip(commit_b));
        drive(ExportEnded{});
        drive(broken(commit_a, row.outcome, row.code));
        CHECK((find_quarantined(drive.state.durable, commit_b) != nullptr) == row.quarantined);
        CHECK(drive.state.next_deploy.has_value() == row.again);
        CHECK_FALSE(drive.decision().empty());
    }
}

TEST_CASE("a first deployment that fails for good is left down, and it is said") {
    Drive drive;
    drive(Recovered{"", Health::missing});
    drive(tip(commit_a));
    drive(ExportEnded{});
    CHECK(drive(WorkEnded{exit_status::unhealthy, Outcome::failed, Error{Code::permanent, "web ended with 3"},
                          "", Health::missing}) == "persist warn");
    CHECK(has(drive.decision(), "left down"));
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync(a)");
    CHECK_FALSE(has(drive(tip(commit_a)), "export"));
}

TEST_CASE("quarantine remembers a bounded number of commits, the oldest goes first") {
    Durable durable;
    for (int i = 0; i < 70; ++i)
        quarantine(durable, {fmt::format("{:040}", i), "bad", start_time});
    CHECK(durable.quarantine.size() == Durable::max_quarantine);
    CHECK(durable.quarantine.front().commit == fmt::format("{:040}", 6));
    quarantine(durable, {fmt::format("{:040}", 10), "again", start_time});
    CHECK(durable.quarantine.size() == Durable::max_quarantine);
    CHECK(durable.quarantine.back().reason == "again");
}

TEST_CASE("auto = false: a commit is staged and judged once, and deployed by up alone") {
    Drive drive = settled_service();
    drive.settings.auto_deploy = false;
    CHECK(drive(Op::sync) == "sync(a)");
    CHECK(drive(tip(commit_b)) == "note export(b)");
    CHECK(drive(ExportEnded{}) == "work(check,b,7)");
    CHECK(drive(WorkEnded{0, {}, {}, commit_a, Health::healthy}) == "persist note tell(7) finish(7,0)");
    CHECK(drive.state.durable.waiting == commit_b);
    CHECK(has(drive.told(), "waits for up"));
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "");
    Drive after = restarted(drive);
    CHECK(after(tip(commit_b)) == "note");
    CHECK(after(Op::up) == "sync(b)");
    CHECK(after(tip(commit_b)) == "export(b)");
    CHECK(after(ExportEnded{}) == "persist work(deploy,b,7)");
    CHECK(after(deployed(commit_b)) == "persist note finish(7,0)");
    CHECK(after.state.durable.waiting.empty());
}

TEST_CASE("auto = false: a commit that would be rejected says so while it waits") {
    Drive drive = settled_service();
    drive.settings.auto_deploy = false;
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    drive(ExportEnded{});
    CHECK(drive(WorkEnded{exit_status::rejected,
                          {},
                          Error{Code::permanent, "privileged is not allowed"},
                          commit_a,
                          Health::healthy}) == "persist warn");
    CHECK(has(drive.decision(), "would be rejected: privileged"));
    CHECK(drive.state.durable.waiting == commit_b);
}

TEST_CASE("every decision leaves a sentence, also the one to do nothing") {
    Drive drive = settled_service();
    CHECK(has(drive.decision(), "aaaaaaaa is what upstream has, and it runs"));
    const auto since = drive.state.durable.decision.at;
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_a)) == ""); // said once, written once
    CHECK(drive.state.durable.decision.at == since);
    drive.now += 60s;
    drive(Tick{});
    drive(unreachable(commit_a));
    CHECK(has(drive.decision(), "connection refused"));
    drive(Op::down);
    CHECK(has(drive.decision(), "stopped, asked by " + miek));
}

TEST_CASE("what a deployment began with") {
    Drive drive;
    drive(Recovered{commit_a, Health::missing});
    drive(tip(commit_a));
    drive(ExportEnded{});
    CHECK(std::get<StartWork>(drive.actions.back()).trigger == Trigger::start);
    drive(broken(commit_a, Outcome::failed, Code::transient));
    drive.now = *due(drive.state);
    CHECK(drive(Tick{}) == "export(a)");
    drive(ExportEnded{});
    CHECK(std::get<StartWork>(drive.actions.back()).trigger == Trigger::retry);
    drive(deployed(commit_a));
    drive(Reconfigured{});
    drive(tip(commit_a));
    drive(ExportEnded{});
    CHECK(std::get<StartWork>(drive.actions.back()).trigger == Trigger::config);
    drive(deployed(commit_a));
    drive(Op::sync);
    drive(tip(commit_b));
    drive(ExportEnded{});
    CHECK(std::get<StartWork>(drive.actions.back()).trigger == Trigger::command);
}

TEST_CASE("a down or stop that was killed in the middle is carried out to its end") {
    const WorkEnded lost{exit_status::internal, std::nullopt, Error{Code::internal, "the worker was killed"},
                         commit_a, Health::degraded};
    const WorkEnded stopped{exit_status::done, std::nullopt, std::nullopt, commit_a, Health::missing};
    Drive drive = settled_service();
    SUBCASE("with its worker") {
        CHECK(drive(Op::down) == "persist note work(down,,7)");
        CHECK(drive(lost) == "finish(7,70) recover");
        CHECK(drive(Recovered{commit_a, Health::degraded}) == "work(down,,0)");
        CHECK(drive(stopped).starts_with("persist"));
    }
    SUBCASE("with pgod") {
        CHECK(drive(Op::stop) == "persist note work(stop,,7)");
        drive.state.phase = phase::Recovering{}; // what is durable is all that is left
        drive.state.current.reset();
        CHECK(drive(Recovered{commit_a, Health::healthy}) == "work(stop,,0)");
        CHECK(drive(stopped).starts_with("persist"));
    }
    SUBCASE("but not for ever") {
        CHECK(drive(Op::down) == "persist note work(down,,7)");
        CHECK(drive(lost) == "finish(7,70) recover");
        CHECK(drive(Recovered{commit_a, Health::degraded}) == "work(down,,0)");
        CHECK(drive(lost) == "recover");
        CHECK(drive(Recovered{commit_a, Health::degraded}) == "work(down,,0)");
        CHECK(drive(lost).starts_with("persist"));
    }
    CHECK_FALSE(drive.state.durable.stopping);
    CHECK(drive.state.durable.intent.desired == Desired::stopped);
}

TEST_CASE("a deployment that was killed leaves no commit that counts as settled") {
    Drive drive = settled_service();
    drive.now += 1h;
    CHECK(drive(Tick{}) == "sync(a)");
    CHECK(drive(tip(commit_b)) == "note export(b)");
    CHECK(drive(ExportEnded{}) == "persist work(deploy,b,0)");
    drive.state.phase = phase::Recovering{}; // what is durable is all that is left
    CHECK(drive(Recovered{commit_a, Health::healthy}) == "sync(b)");
    CHECK(drive(tip(commit_a)) ==
          "note export(a)"); // upstream took b back, whose files may stand in the tree
}

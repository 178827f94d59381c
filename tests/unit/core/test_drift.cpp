#include "core/drift.hpp"
#include "core/exit_status.hpp"
#include "core/reconcile.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace pgod;
using namespace pgod::reconcile;
using namespace std::chrono_literals;

namespace {

const std::string commit_a(40, 'a');
const std::string commit_b(40, 'b');
constexpr Time start_time{1'000'000s};
const Surveyed dead{commit_a, Health::degraded, true, false, "web exited with status 137"};
const Surveyed well{commit_a, Health::healthy, false, false, {}};

// A service that runs commit a and has just been polled; a survey is under way.
struct Drive {
    State state;
    Time now = start_time;
    Room room;
    std::vector<Action> actions;

    Drive() {
        state.phase = phase::Idle{};
        state.tip = state.running = state.durable.settled = commit_a;
        state.durable.outcome = Outcome::ok;
        state.next_sync = now;
        poll();
    }
    void operator()(const Event& event) {
        Step stepped =
            step(std::move(state), {.interval = 60s, .auto_deploy = true, .room = room}, event, now, 0.5);
        state = std::move(stepped.state);
        actions = std::move(stepped.actions);
    }
    void poll() {
        now += 60s;
        (*this)(Tick{});
        (*this)(SyncEnded{commit_a, std::nullopt});
    }
    template<typename A>
    bool did() const {
        return std::any_of(actions.begin(), actions.end(),
                           [](const Action& action) { return std::holds_alternative<A>(action); });
    }
    bool heals() const {
        return std::any_of(actions.begin(), actions.end(), [](const Action& action) {
            const auto* work = std::get_if<StartWork>(&action);
            return work != nullptr && work->work == Work::heal;
        });
    }
    void healed() { (*this)(WorkEnded{0, std::nullopt, std::nullopt, commit_a, Health::healthy}); }
};

CommandArrived restart() {
    CommandArrived event;
    event.command.id = 7;
    event.command.op = Op::restart;
    event.who = "ann";
    return event;
}

} // namespace

TEST_CASE("a poll that deploys nothing looks at the containers, and what is well is left alone") {
    Drive drive;
    CHECK(drive.did<Survey>());
    drive(well);
    CHECK(drive.actions.empty());
    CHECK(drive.state.health == Health::healthy);
}

TEST_CASE("a look that takes longer than the interval is waited for, and not begun anew by each poll") {
    Drive drive;
    drive.poll();
    CHECK(!drive.did<Survey>());
    drive(Surveyed{commit_a, Health::unknown, false, false, "podman ps did not end within 60s"});
    CHECK(drive.state.drift.problem == "podman ps did not end within 60s");
    drive.poll();
    CHECK(drive.did<Survey>());
    Surveyed busy = dead;
    busy.busy = true;
    drive(busy);
    CHECK(!drive.heals());
    drive.poll();
    CHECK(drive.did<Survey>());

    drive(Unavailable{"user \"x\" does not exist"}); // the answer never comes: the first look afterwards does
    drive(Available{});
    drive(Recovered{commit_a, Health::healthy});
    drive(SyncEnded{commit_a, std::nullopt});
    CHECK(drive.did<Survey>());
}

TEST_CASE("what died is healed, with the reason in the log and the state") {
    Drive drive;
    drive(dead);
    CHECK(drive.heals());
    CHECK(drive.did<Note>());
    CHECK(drive.state.drift.problem == "web exited with status 137");
    drive.healed();
    CHECK(drive.state.drift.problem.empty());
    CHECK(drive.state.health == Health::healthy);
}

TEST_CASE("three healings in ten minutes, then it is left alone until a deployment or a command") {
    Drive drive;
    for (int i = 0; i < 3; ++i) {
        drive(dead);
        CHECK(drive.heals());
        drive.healed();
        drive.poll();
    }
    drive(dead);
    CHECK(!drive.heals());
    CHECK(drive.did<Note>());
    CHECK(drive.state.health == Health::degraded);
    CHECK(drive.state.drift.problem.find("left alone") != std::string::npos);
    for (int i = 0; i < 20; ++i) { // the window passes, and it is said once
        drive.poll();
        drive(dead);
        CHECK(!drive.heals());
        CHECK(!drive.did<Note>());
    }
    SUBCASE("a command") {
        drive(restart());
        drive.healed();
        drive.poll();
        drive(dead);
        CHECK(drive.heals());
    }
    SUBCASE("somebody mended it by hand") {
        drive.poll();
        drive(well);
        CHECK(drive.did<Note>());
        CHECK(drive.state.drift.problem.empty());
    }
    SUBCASE("somebody mended it by hand, and the containers are healthy on a network without DNS") {
        drive.poll();
        Surveyed without_dns = well;
        without_dns.problem = "network demo_default has no DNS";
        drive(without_dns);
        CHECK(drive.state.drift.problem == without_dns.problem);
        drive.poll();
        drive(dead);
        CHECK(drive.heals());
    }
}

TEST_CASE("healings that lie far apart, or ahead because the clock was set back, do not count") {
    for (const auto jump : {std::chrono::milliseconds(11min), std::chrono::milliseconds(-24h)}) {
        Drive drive;
        for (int i = 0; i < 10; ++i) {
            drive(dead);
            CHECK(drive.heals());
            drive.healed();
            drive.now += jump;
            drive.poll();
        }
    }
}

TEST_CASE("nothing is healed that is not meant to run") {
    SUBCASE("stopped") {
        Drive drive;
        drive.state.durable.intent.desired = Desired::stopped;
        drive(dead);
        CHECK(!drive.heals());
        drive.poll();
        CHECK(!drive.did<Survey>());
    }
    SUBCASE("suspended") {
        Drive drive;
        drive.state.durable.suspension.emplace();
        drive(dead);
        CHECK(!drive.heals());
        CHECK(drive.state.drift.problem.empty());
    }
    SUBCASE("never deployed") {
        Drive drive;
        drive.state.running.clear();
        drive.poll();
        CHECK(!drive.did<Survey>());
    }
}

TEST_CASE("what was seen before other work began counts no more") {
    Drive drive;
    drive(restart());
    drive(dead); // while it works
    CHECK(!drive.heals());
    drive.healed();
    drive(dead); // after it
    CHECK(!drive.heals());
}

TEST_CASE("a healing waits for its turn on a busy host, and makes way for a command and a stop") {
    Drive drive;
    drive.room.healing = false;
    drive(dead);
    CHECK(drive.did<AwaitTurn>());
    CHECK(!drive.heals());
    SUBCASE("its turn") {
        drive(TurnCame{});
        CHECK(drive.heals());
    }
    SUBCASE("a command") {
        drive(restart());
        CHECK(drive.did<LeaveTurn>());
        CHECK(work_of(drive.state) == Work::restart);
    }
    SUBCASE("it is not to run any more") {
        drive.state.durable.intent.desired = Desired::stopped;
        drive(TurnCame{});
        CHECK(drive.did<LeaveTurn>());
        CHECK(!drive.heals());
        CHECK(drive.state.drift.healings.empty());
    }
}

TEST_CASE("a healing that fails is told and tried again with the next poll") {
    Drive drive;
    drive(dead);
    drive(WorkEnded{exit_status::failed, std::nullopt, Error{Code::permanent, "web: start: no such image"},
                    commit_a, Health::degraded});
    CHECK(drive.state.drift.problem == "could not be healed: web: start: no such image");
    drive.poll();
    drive(dead);
    CHECK(drive.heals());
}

TEST_CASE("an unhealthy container and a podman that does not answer are said once and not healed") {
    Drive drive;
    const Surveyed silent{commit_a, Health::unknown, false, false, "podman is not installed"};
    drive(silent);
    CHECK(drive.did<Note>());
    CHECK(!drive.heals());
    drive.poll();
    drive(silent);
    CHECK(!drive.did<Note>());
    drive.poll();
    drive(well);
    CHECK(drive.did<Note>());
    CHECK(drive.state.drift.problem.empty());
}

TEST_CASE("after a start, what the record can mend is healed at once, and all else is deployed") {
    State fresh;
    fresh.phase = phase::Recovering{};
    fresh.durable.settled = commit_a;
    const Settings settings{.interval = 60s, .auto_deploy = true};
    const auto after = [&](const State& state, const Recovered& seen) {
        return step(state, settings, seen, start_time, 0.5).state;
    };
    for (const Health health : {Health::degraded, Health::missing}) {
        const State lost = after(fresh, {commit_a, health, true, false, "web has no container"});
        CHECK(work_of(lost) == Work::heal);
        CHECK(!lost.needs_deploy);
    }
    const State cut_off = after(fresh, {commit_a, Health::degraded, false, false, "web is created"});
    CHECK(cut_off.needs_deploy);
    CHECK(!work_of(cut_off));
}

TEST_CASE(
    "what is suspended is brought back after the end of the host, and left as somebody left it otherwise") {
    State suspended;
    suspended.phase = phase::Recovering{};
    suspended.durable.settled = commit_a;
    suspended.durable.suspension = Suspension{"ann", start_time, std::nullopt, "a look at it"};
    const auto heals = [&](bool accident) {
        const Recovered seen{commit_a, Health::missing, true, accident, "web is created"};
        return work_of(step(suspended, {}, seen, start_time, 0.5).state) == Work::heal;
    };
    CHECK(heals(true));
    CHECK(!heals(false));
    suspended.durable.suspension.reset();
    suspended.durable.intent.desired = Desired::stopped;
    CHECK(!heals(true));
}

TEST_CASE("what could not be healed and of which nothing is left is deployed, where the tip may be") {
    State state;
    state.phase = phase::Recovering{};
    state.durable.settled = state.tip = commit_a;
    state = step(state, {}, Recovered{commit_a, Health::missing, true, true, "web has no container"},
                 start_time, 0.5)
                .state;
    const auto ended = [&](Health health) {
        return step(state, {},
                    WorkEnded{exit_status::failed,
                              {},
                              Error{Code::transient, "the image is gone"},
                              commit_a,
                              health},
                    start_time, 0.5)
            .state;
    };
    CHECK(ended(Health::missing).needs_deploy);
    CHECK(!ended(Health::degraded).needs_deploy);
}

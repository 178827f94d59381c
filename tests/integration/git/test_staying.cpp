// The processes of pgod-git that stay for the next poll: whose polls they take, and when they end.
#include "host.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <signal.h>
#include <sys/wait.h>

using namespace pgod;
using test::becomes_true;
using test::Host;
using namespace std::chrono_literals;

namespace {

// A host whose service has been synced once, so that what follows are polls.
struct Polled : Host {
    Polled()
        : url("file://" + files.upstream.string())
        , tip(files.commit("first")) {
        REQUIRE(sync(url).tip() == tip);
        REQUIRE(becomes_empty());
    }
    ipc::GitJob poll_job() const {
        auto job = sync_job(url);
        job.sync_job.known = tip;
        return job;
    }
    pid_t poll_and_stay() {
        REQUIRE(pgod_git().run(poll_job()).tip() == tip);
        const auto pids = pgod_git().job_processes();
        REQUIRE(pids.size() == 1);
        return pids.front();
    }
    bool becomes_empty() {
        return becomes_true([&] { return pgod_git().job_processes().empty(); });
    }

    std::string url;
    std::string tip;
};

} // namespace

TEST_CASE("a poll that finds nothing new leaves its process for the user's next one") {
    Polled host;
    const auto pid = host.poll_and_stay();
    auto other = host.poll_job();
    other.directory = host.another_service();
    for (int i = 0; i < 3; ++i) {
        const auto outcome = host.pgod_git().run(other);
        CHECK(outcome.error() == "ok");
        CHECK_FALSE(outcome.synced->moved);
        CHECK(host.pgod_git().job_processes() == std::vector<pid_t>{pid});
        ++other.id;
    }
    other.url = Secret("file:///nowhere"); // an upstream that is away does not end it
    CHECK(host.pgod_git().run(other).synced->error);
    CHECK(host.poll_and_stay() == pid);
}

TEST_CASE("a poll that finds a commit is a whole sync, and its process ends") {
    Polled host;
    host.poll_and_stay();
    host.files.write("ssh/a.pub", test::key_line("a"));
    const auto second = host.files.commit("second");
    const auto outcome = host.pgod_git().run(host.poll_job());
    CHECK(outcome.tip() == second);
    CHECK(outcome.synced->moved);
    CHECK(outcome.keys.size() == 1);
    CHECK(WIFEXITED(outcome.ended.wait_status));
    CHECK(host.becomes_empty());
}

TEST_CASE("what has credentials, or is no poll, shares no process") {
    Polled host;
    const auto pid = host.poll_and_stay();
    auto job = host.poll_job();
    SUBCASE("a password in the URL") {
        job.url = Secret("http://me:secret@127.0.0.1:1/x");
    }
    SUBCASE("a token in the URL") {
        job.url = Secret("http://token@127.0.0.1:1/x");
    }
    SUBCASE("a deploy key") {
        job.url = Secret("ssh://git@127.0.0.1:1/x");
    }
    SUBCASE("an export") {
        job = host.export_job(host.tip);
    }
    SUBCASE("a first sync") {
        job.sync_job.known.clear();
    }
    REQUIRE(::kill(pid, SIGSTOP) == 0); // would not answer
    auto channel = host.pgod_git().start(job);
    const auto outcome = host.pgod_git().finish(job.id, channel);
    CHECK((outcome.synced || outcome.exported));
    CHECK(host.pgod_git().job_processes() == std::vector<pid_t>{pid}); // and the other one did not stay
}

TEST_CASE("a job that hangs in a process that stayed is ended at its deadline") {
    Polled host;
    const auto pid = host.poll_and_stay();
    REQUIRE(::kill(pid, SIGSTOP) == 0);
    auto job = host.poll_job();
    job.deadline = 1s;
    const auto outcome = host.pgod_git().run(job);
    CHECK(outcome.ended.deadline_passed);
    CHECK_FALSE(outcome.synced);
    CHECK(host.becomes_empty());
    CHECK(host.poll_and_stay() != pid);
}

TEST_CASE("polls of one user at the same time: two processes stay") {
    Polled host;
    const test::BlackHole hole;
    std::vector<std::pair<std::uint64_t, os::FrameReader>> jobs;
    for (int i = 0; i < 4; ++i) {
        auto job = host.poll_job();
        job.url = Secret(fmt::format("http://127.0.0.1:{}/x", hole.port()));
        job.deadline = 8s;
        auto channel = host.pgod_git().start(job);
        jobs.emplace_back(job.id, std::move(channel));
    }
    for (auto& [id, channel] : jobs)
        CHECK(host.pgod_git().finish(id, channel).error().find("timeout: ") == 0);
    CHECK(host.pgod_git().job_processes().size() == 2);
}

TEST_CASE("one that was killed while it waited is missed by nobody") {
    Polled host;
    const auto pid = host.poll_and_stay();
    REQUIRE(::kill(pid, SIGKILL) == 0);
    REQUIRE(host.becomes_empty());
    CHECK(host.poll_and_stay() != pid);
}

TEST_CASE("processes that stayed end with the supervisor, and with pgod-git") {
    Polled host;
    auto& pgod_git = host.pgod_git();
    const auto pid = host.poll_and_stay();
    SUBCASE("the supervisor leaves") {
        pgod_git.close_control();
        CHECK(pgod_git.wait_for_end() == 0);
    }
    SUBCASE("pgod-git is killed") {
        REQUIRE(::kill(pgod_git.pid(), SIGKILL) == 0);
        CHECK(WTERMSIG(pgod_git.wait_for_end()) == SIGKILL);
    }
    CHECK(becomes_true([&] { return ::kill(pid, 0) != 0; }));
}

TEST_SUITE("root") {
    TEST_CASE("users share no process") {
        Polled host;
        const auto pid = host.poll_and_stay();
        CHECK(test::slurp(fmt::format("/proc/{}/status", pid)).find("Uid:\t65534\t65534\t65534\t65534") !=
              std::string::npos);
        auto job = host.poll_job();
        SUBCASE("another user") {
            job.user.uid = 65533;
        }
        SUBCASE("the same user in another group") {
            job.user.groups = {65533};
        }
        CHECK(host.pgod_git().run(job).error() == "ok");
        const auto pids = host.pgod_git().job_processes();
        REQUIRE(pids.size() == 2);
        const auto other =
            test::slurp(fmt::format("/proc/{}/status", pids.front() == pid ? pids.back() : pids.front()));
        CHECK((other.find("Uid:\t65533\t65533\t65533\t65533") != std::string::npos ||
               other.find("Groups:\t65533 \n") != std::string::npos));
    }
}

// pgod-git as a process: deadlines, protocol, ends, and who its jobs are.
#include "host.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

using namespace pgod;
using test::becomes_true;
using test::Host;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

bool has_confined_job(const test::PgodGit& pgod_git) {
    const auto jobs = pgod_git.job_processes();
    return !jobs.empty() &&
           test::slurp(fmt::format("/proc/{}/status", jobs.front())).find("NoNewPrivs:\t1") !=
               std::string::npos;
}

} // namespace

TEST_CASE("a server that accepts and never answers: tip and keys come back before the deadline") {
    Host host;
    host.files.write("ssh/a.pub", test::key_line("a"));
    const auto tip = host.files.commit("first");
    const test::BlackHole hole;
    std::vector<std::pair<ipc::GitJob, os::FrameReader>> jobs;
    for (const char* scheme : {"http", "https", "git", "ssh"}) {
        auto job = host.sync_job("file://" + host.files.upstream.string());
        job.directory = host.another_service();
        REQUIRE(host.pgod_git().run(job).error() == "ok");
        job.id += 1000;
        job.url = Secret(fmt::format("{}://127.0.0.1:{}/x", scheme, hole.port()));
        // As if it had been fetched from there: another upstream's tip and keys would count for nothing.
        std::filesystem::remove(job.directory + "/repo.source");
        job.deadline = 8s; // below the streams' own timeout of 10 s
        auto channel = host.pgod_git().start(job);
        jobs.emplace_back(std::move(job), std::move(channel));
    }
    for (auto& [job, channel] : jobs) {
        const auto outcome = host.pgod_git().finish(job.id, channel);
        CHECK(outcome.error() == fmt::format("timeout: {} did not answer in time", job.url.reveal()));
        CHECK(outcome.tip() == tip);
        CHECK(outcome.keys.size() == 1);
        CHECK_FALSE(outcome.ended.deadline_passed);
    }
}

TEST_CASE("a job that hangs is ended at its deadline, others are not held up") {
    Host host;
    const auto tip = host.files.commit("first");
    const test::BlackHole hole;
    host.deadline = 8s;
    const auto late = host.sync_job(fmt::format("http://127.0.0.1:{}/x", hole.port()));
    auto channel = host.pgod_git().start(late);
    REQUIRE(becomes_true([&] { return has_confined_job(host.pgod_git()); }));
    REQUIRE(::kill(host.pgod_git().job_processes().front(), SIGSTOP) == 0); // no timeout of its own any more
    auto other = host.sync_job("file://" + host.files.upstream.string());
    other.directory = host.another_service();
    other.deadline = test::patience;
    CHECK(host.pgod_git().run(other).tip() == tip);
    const auto outcome = host.pgod_git().finish(late.id, channel);
    CHECK(outcome.ended.deadline_passed);
    CHECK(WIFSIGNALED(outcome.ended.wait_status));
    CHECK_FALSE(outcome.synced);
    CHECK(host.pgod_git().job_processes().empty());
    // What it left behind is in nobody's way.
    host.deadline = test::patience;
    CHECK(host.sync("file://" + host.files.upstream.string()).tip() == tip);
}

TEST_CASE("more jobs than run at once wait their turn") {
    Host host;
    const test::BlackHole hole;
    host.deadline = 8s; // the last two of it are for the report, when all are busy with theirs at once
    std::vector<std::pair<ipc::GitJob, os::FrameReader>> jobs;
    for (int i = 0; i < 70; ++i) {
        auto job = host.sync_job(fmt::format("http://127.0.0.1:{}/x", hole.port()));
        job.directory = host.another_service();
        auto channel = host.pgod_git().start(job);
        jobs.emplace_back(std::move(job), std::move(channel));
    }
    for (auto& [job, channel] : jobs)
        CHECK(host.pgod_git().finish(job.id, channel).error().find("timeout: ") == 0);
}

TEST_CASE("a repository that has grown is compacted once the result is out") {
    Host host;
    const auto url = "file://" + host.files.upstream.string();
    host.files.commit("first");
    REQUIRE(host.sync(url).error() == "ok");
    const auto padding = host.files.local / "objects/pack/padding";
    std::ofstream(padding) << "";
    fs::resize_file(padding, 40 << 20);
    const auto second = host.files.commit("second");
    CHECK(host.sync(url).tip() == second); // run() waits for the end of the process
    CHECK_FALSE(fs::exists(padding));
    CHECK(host.pgod_git().run(host.export_job(second)).error() == "ok");
}

TEST_CASE("two jobs on one repository take turns") {
    Host host;
    const auto tip = host.files.commit("first");
    const auto first = host.sync_job("file://" + host.files.upstream.string());
    const auto second = host.sync_job("file://" + host.files.upstream.string());
    auto first_channel = host.pgod_git().start(first);
    auto second_channel = host.pgod_git().start(second);
    CHECK(host.pgod_git().finish(first.id, first_channel).tip() == tip);
    CHECK(host.pgod_git().finish(second.id, second_channel).tip() == tip);
}

TEST_CASE("the supervisor leaves: pgod-git and its jobs end") {
    Host host;
    const test::BlackHole hole;
    auto& pgod_git = host.pgod_git();
    auto channel = pgod_git.start(host.sync_job(fmt::format("http://127.0.0.1:{}/x", hole.port())));
    REQUIRE(becomes_true([&] { return has_confined_job(pgod_git); }));
    const auto job = pgod_git.job_processes().front();
    pgod_git.close_control();
    CHECK(pgod_git.wait_for_end() == 0);
    CHECK(::kill(job, 0) != 0);
}

TEST_CASE("pgod-git is killed: its jobs end with it") {
    Host host;
    const test::BlackHole hole;
    auto& pgod_git = host.pgod_git();
    auto channel = pgod_git.start(host.sync_job(fmt::format("http://127.0.0.1:{}/x", hole.port())));
    REQUIRE(becomes_true([&] { return has_confined_job(pgod_git); }));
    REQUIRE(::kill(pgod_git.job_processes().front(), SIGSTOP) == 0); // it cannot end by itself
    REQUIRE(::kill(pgod_git.pid(), SIGKILL) == 0);
    CHECK(WTERMSIG(pgod_git.wait_for_end()) == SIGKILL);
    CHECK(becomes_true([&] { // the job's end of the pipe went with it
        const auto frame = channel.try_receive();
        return frame && *frame && (*frame)->closed();
    }));
}

TEST_CASE("what is no job ends pgod-git") {
    Host host;
    const auto job = host.sync_job("file:///x");
    const auto frame = ipc::encode(ipc::GitRequest(job));
    const int spare[] = {0, 0, 0};
    SUBCASE("garbage") {
        host.pgod_git().send_raw("garbage", {spare, 1});
    }
    SUBCASE("a byte too many") {
        host.pgod_git().send_raw(frame + "x", {spare, 1});
    }
    SUBCASE("no descriptor") {
        host.pgod_git().send_raw(frame);
    }
    SUBCASE("three descriptors") {
        host.pgod_git().send_raw(frame, {spare, 3});
    }
    SUBCASE("no deadline") {
        host.deadline = 0s;
        host.pgod_git().send_raw(ipc::encode(ipc::GitRequest(host.sync_job("file:///x"))), {spare, 1});
    }
    const int status = host.pgod_git().wait_for_end();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 70);
}

TEST_CASE("jobs that cannot be done are answered") {
    Host host;
    auto job = host.sync_job("ext::sh -c touch% /tmp/x");
    CHECK(host.pgod_git().run(job).error().find("invalid: ") == 0);
    job = host.sync_job("file:///nowhere");
    job.directory = host.files.root / "missing";
    CHECK(host.pgod_git().run(job).synced->error);
    job = host.export_job(std::string(40, '0'));
    CHECK(host.pgod_git().run(job).exported->error);
    job = host.sync_job("file:///nowhere");
    job.user.uid = 0;
    CHECK(host.pgod_git().run(job).error() == "denied: a repository job never runs as root");
}

TEST_CASE("a file larger than the limit is an error, not a signal") {
    Host host;
    host.files.write("large", "");
    fs::resize_file(host.files.upstream / "large", 300 << 20);
    const auto tip = host.files.commit("large");
    REQUIRE(host.sync("file://" + host.files.upstream.string()).tip() == tip);
    const auto outcome = host.pgod_git().run(host.export_job(tip));
    CHECK(outcome.error().find("permanent: large is larger than") == 0);
}

TEST_SUITE("root") {
    TEST_CASE("a job runs as the service's user, with nothing of root's") {
        Host host;
        const test::BlackHole hole;
        const auto job = host.sync_job(fmt::format("http://127.0.0.1:{}/x", hole.port()));
        auto channel = host.pgod_git().start(job);
        REQUIRE(becomes_true([&] { return has_confined_job(host.pgod_git()); }));
        const auto pid = host.pgod_git().job_processes().front();
        const auto status = test::slurp(fmt::format("/proc/{}/status", pid));
        CHECK(status.find("Uid:\t65534\t65534\t65534\t65534") != std::string::npos);
        CHECK(status.find("Gid:\t65534\t65534\t65534\t65534") != std::string::npos);
        CHECK(status.find("Groups:\t65534 \n") != std::string::npos);
        CHECK(status.find("CapEff:\t0000000000000000") != std::string::npos);
        // Its pipe, its connection and the service's files; not the control channel, and the log only for
        // a sanitizer.
        const auto control = fs::read_symlink(fmt::format("/proc/{}/fd/3", host.pgod_git().pid()));
        for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
            std::error_code gone;
            const auto target = fs::read_symlink(entry.path(), gone);
            CAPTURE(target);
            CHECK(target != control);
            if (!gone && target != host.log)
                CHECK((target == "/dev/null" || target.string().starts_with("socket:") ||
                       target.string().starts_with("pipe:") ||
                       target.string().starts_with(host.files.service.string())));
        }
        CHECK(test::slurp(fmt::format("/proc/{}/environ", pid)).find("SSL_CERT_FILE") == std::string::npos);
    }

    TEST_CASE("what a job makes belongs to the service's user") {
        Host host;
        host.files.write("file", "1");
        const auto tip = host.files.commit("first");
        REQUIRE(host.sync("file://" + host.files.upstream.string()).tip() == tip);
        REQUIRE(host.pgod_git().run(host.export_job(tip)).error() == "ok");
        for (const auto& entry : fs::recursive_directory_iterator(host.files.service)) {
            struct stat status {};
            REQUIRE(::lstat(entry.path().c_str(), &status) == 0);
            CHECK(status.st_uid == 65534);
            CHECK(status.st_gid == 65534);
        }
        struct stat status {};
        REQUIRE(::stat(host.files.local.c_str(), &status) == 0);
        CHECK((status.st_mode & 077) == 0);
    }

    TEST_CASE("a directory of another user is out of reach") {
        Host host;
        host.files.commit("first");
        REQUIRE(::chown(host.files.service.c_str(), 65533, 65533) == 0);
        const auto outcome = host.sync("file://" + host.files.upstream.string());
        CHECK(outcome.error().find("Permission denied") != std::string::npos);
    }

    TEST_CASE("an upstream on this disk that the user may not read") {
        Host host;
        host.files.commit("first");
        fs::permissions(host.files.upstream / ".git", fs::perms::owner_all);
        const auto closed = host.sync("file://" + host.files.upstream.string() + "/.git");
        CHECK(closed.error().find("denied: user nobody may not read file://") == 0);
    }

    TEST_CASE("without root it serves its own user, and nobody else") {
        Host host;
        const auto tip = host.files.commit("first");
        fs::permissions(fs::path(PGOD_GIT_PROGRAM), fs::perms::others_exec, fs::perm_options::add);
        test::PgodGit own(host.log, {"PATH=/usr/bin"}, host.user);
        CHECK(own.run(host.sync_job("file://" + host.files.upstream.string())).tip() == tip);
        auto other = host.sync_job("file://" + host.files.upstream.string());
        other.user.uid = 65533;
        other.user.gid = 65533;
        CHECK(own.run(other).error().find("denied: become user") == 0);
    }
}

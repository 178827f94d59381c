#include "os/drop.hpp"
#include "os/run.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

using namespace pgod;
using namespace pgod::os;
using namespace std::chrono_literals;

namespace {

RunRequest shell(const std::string& script) {
    RunRequest request;
    request.spawn.program = "/bin/sh";
    request.spawn.argv = {"sh", "-c", script};
    request.spawn.env = {"PATH=/usr/bin:/bin", "GREETING=hello there"};
    return request;
}

} // namespace

TEST_CASE("output, errors and status come back apart") {
    const auto result = *run(shell("echo \"$GREETING\"; echo bad >&2; exit 3"));
    CHECK(result.output == "hello there\n");
    CHECK(result.errors == "bad\n");
    CHECK(exit_code_of(result.wait_status) == 3);
    CHECK(describe_wait_status(result.wait_status) == "exited with status 3");
    CHECK_FALSE(result.succeeded());
}

TEST_CASE("nothing of ours is inherited") {
    ::setenv("PGOD_TEST_LEAK", "1", 1);
    const int leak = ::open("/dev/null", O_RDONLY); // on purpose without O_CLOEXEC
    auto request = shell("env; ls -l /proc/self/fd | wc -l; cat /proc/self/status | grep SigIgn");
    (void)::signal(SIGPIPE, SIG_IGN);
    const auto result = *run(request);
    CHECK(result.output.find("PGOD_TEST_LEAK") == std::string::npos);
    CHECK(result.output.find("\n5\n") != std::string::npos); // "total", 0, 1, 2 and ls's own
    CHECK(result.output.find("SigIgn:\t0000000000000000") != std::string::npos);
    ::close(leak);
}

TEST_CASE("a program that is not there is an error of the start, not a status") {
    RunRequest request;
    request.spawn.program = "/nonexistent/program";
    request.spawn.argv = {"program"};
    const auto result = run(request);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::gone);
    CHECK(result.error().message.find("/nonexistent/program") != std::string::npos);

    request = shell("true");
    request.spawn.directory = "/nonexistent";
    const auto nowhere = run(request);
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().message.find("enter the directory") != std::string::npos);
}

TEST_CASE("input reaches the child; one that does not read it does no harm") {
    auto request = shell("cat");
    request.input = std::string(300'000, 'x');
    CHECK(run(request)->output == request.input);
    request = shell("exit 0");
    request.input = std::string(300'000, 'x');
    CHECK(run(request)->succeeded());
}

TEST_CASE("output is kept up to its bound and streamed without one") {
    auto request = shell("head -c 100000 /dev/zero");
    request.max_output = 1000;
    const auto kept = *run(request);
    CHECK(kept.output.size() == 1000);
    CHECK(kept.truncated);

    std::size_t seen = 0;
    request.on_output = [&seen](std::string_view bytes) {
        seen += bytes.size();
    };
    const auto streamed = *run(request);
    CHECK(seen == 100000);
    CHECK(streamed.output.empty());
}

TEST_CASE("a child that outstays its deadline is ended with everything in its group") {
    TemporaryDirectory directory;
    auto request = shell("trap '' TERM; sleep 1000 & echo $! > " + directory.path + "/pid; wait; wait");
    request.grace = 200ms;
    pid_t grandchild = 0;
    for (const auto deadline : {300ms, 3'000ms, 60'000ms}) { // a busy machine may need longer to begin
        request.deadline = deadline;
        const auto result = *run(request);
        CHECK(result.timed_out);
        CHECK(WIFSIGNALED(result.wait_status));
        if (std::ifstream(directory.path + "/pid") >> grandchild)
            break;
    }
    REQUIRE(grandchild > 0);
    // It is gone once init has reaped it.
    for (int i = 0; i < 2000 && ::kill(grandchild, 0) == 0; ++i) {
        std::ifstream status("/proc/" + std::to_string(grandchild) + "/stat");
        std::string text((std::istreambuf_iterator<char>(status)), {});
        if (text.find(") Z") != std::string::npos)
            break;
        ::usleep(10'000);
    }
    std::ifstream status("/proc/" + std::to_string(grandchild) + "/stat");
    std::string text((std::istreambuf_iterator<char>(status)), {});
    CHECK((text.empty() || text.find(") Z") != std::string::npos));
}

TEST_CASE("a grandchild that keeps the pipe does not keep us") {
    const auto result = *run(shell("sleep 1000 & echo $!"));
    CHECK(result.wait_status == 0);
    CHECK_FALSE(result.timed_out);
    (void)::kill(static_cast<pid_t>(std::stol(result.output)), SIGKILL);
}

TEST_CASE("a grandchild that writes on and on does not keep us") {
    for (const char* pause : {"0.4", "0"}) {
        CAPTURE(pause);
        const auto result = *run(shell("(while :; do echo x || exit; sleep " + std::string(pause) +
                                       "; done) & sleep 1000 & echo pid=$! >&2"));
        CHECK(result.wait_status == 0);
        CHECK(result.output.find("x\n") != std::string::npos);
        (void)::kill(static_cast<pid_t>(std::stol(result.errors.substr(result.errors.find("pid=") + 4))),
                     SIGKILL);
    }
}

TEST_CASE("a child that writes on and on meets its deadline") {
    auto request = shell("while :; do echo x; done");
    request.deadline = 300ms;
    request.on_output = [](std::string_view) {
    };
    CHECK(run(request)->timed_out);
}

TEST_CASE("a readable cancel descriptor ends the child") {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    ::close(pipe[1]);
    auto request = shell("sleep 1000");
    request.cancel_fd = pipe[0];
    const auto result = *run(request);
    CHECK(result.cancelled);
    ::close(pipe[0]);
}

TEST_CASE("as root: the child is the user, its groups are the user's, and root is out of reach") {
    if (::geteuid() != 0)
        return; // the integration tests run this part as root
    auto request = shell("id -u; id -g; id -G; grep NoNewPrivs /proc/self/status");
    Identity nobody{"nobody", 65534, 65534, {65534, 100}, "/"};
    request.spawn.become = nobody;
    request.spawn.no_new_privileges = true;
    CHECK(run(request)->output == "65534\n65534\n65534 100\nNoNewPrivs:\t1\n");

    request.spawn.become->uid = 0;
    const auto refused = run(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("refuse root") != std::string::npos);
    request.spawn.become = nobody;
    request.spawn.become->groups.push_back(0);
    CHECK_FALSE(run(request));
}

// Whom nothing else on the machine runs as.
constexpr uid_t lone_user = 64'911;

TEST_CASE("as root: a user who stops every process of his cannot make us wait for one") {
    if (::geteuid() != 0)
        return;
    const pid_t stopper = ::fork();
    if (stopper == 0) {
        if (drop_privileges(lone_user, lone_user, nullptr, 0) != nullptr ||
            ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
            ::_exit(1);
        while (true)
            (void)::kill(-1, SIGSTOP);
    }
    SpawnRequest request;
    request.program = "/bin/true";
    request.argv = {"true"};
    request.become = Identity{"lone", lone_user, lone_user, {}, "/"};
    int stopped = 0;
    const auto end = std::chrono::steady_clock::now() + 60s;
    for (int i = 0; i < 500 || (stopped == 0 && std::chrono::steady_clock::now() < end); ++i) {
        auto child = spawn(request); // without the promise it hangs here
        REQUIRE(child);
        int status = 0;
        stopped += ::waitpid(child->pid(), &status, WUNTRACED) == child->pid() && WIFSTOPPED(status) ? 1 : 0;
        if (!WIFSTOPPED(status))
            child->release(); // reaped above
    }
    CHECK(stopped > 0);
    (void)::kill(stopper, SIGKILL);
    (void)::waitpid(stopper, nullptr, 0);
}

TEST_CASE("nobody's directory is entered for somebody else") {
    auto request = shell("true");
    request.spawn.become = Identity{"nobody", 65534, 65534, {}, "/"};
    request.spawn.directory = "/tmp";
    CHECK_FALSE(run(request));
}

TEST_CASE("a raised limit of descriptors is ours alone") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit low{std::min<rlim_t>(256, before.rlim_max), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    raise_descriptor_limit();
    rlimit raised{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &raised) == 0);
    CHECK(raised.rlim_cur == before.rlim_max);
    CHECK(run(shell("ulimit -Sn"))->output == std::to_string(low.rlim_cur) + "\n");
}

TEST_CASE("descriptors are placed whatever numbers they have") {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    auto request = shell("echo three >&3; echo four >&4");
    // A swap: ours are numbers that the other's target may have.
    request.spawn.descriptors = {{pipe[1], 4}, {pipe[1], 3}};
    CHECK(run(request)->succeeded());
    ::close(pipe[1]);
    std::array<char, 64> text{};
    std::string all;
    for (ssize_t size = 0; (size = ::read(pipe[0], text.data(), text.size())) > 0;)
        all.append(text.data(), static_cast<std::size_t>(size));
    CHECK(all == "three\nfour\n");
    ::close(pipe[0]);
}

TEST_CASE("a file that is laid over another is seen by the child alone") {
    if (::geteuid() != 0)
        return;
    const TemporaryDirectory directory;
    std::ofstream(directory.path + "/old") << "old";
    std::ofstream(directory.path + "/new") << "new";
    auto request = shell("cat " + directory.path + "/old");
    request.spawn.overlay = SpawnRequest::Overlay{directory.path + "/new", directory.path + "/old"};
    CHECK(run(request)->output == "new");
    CHECK(run(shell("cat " + directory.path + "/old"))->output == "old");
    request.spawn.overlay->onto = directory.path + "/missing";
    const auto failed = run(request);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "start /bin/sh: lay a file over another: No such file or directory");
}

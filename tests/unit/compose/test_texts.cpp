// What a user sees: output and its log, the ps table, podman's problems, the arguments of logs.
#include "compose/logs.hpp"
#include "compose/memory_limit.hpp"
#include "compose/observe.hpp"
#include "compose/output.hpp"
#include "compose/space.hpp"

#include "scratch.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <signal.h>
#include <unistd.h>

#include <array>

using namespace pgod;
using namespace pgod::compose;

namespace {

struct Pipes {
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    Pipes() {
        REQUIRE(::pipe2(out.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        REQUIRE(::pipe2(err.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    }
    ~Pipes() {
        for (const int fd : {out[0], out[1], err[0], err[1]})
            ::close(fd);
    }
    static std::string read(int fd) {
        std::string text(65536, '\0');
        const ssize_t size = ::read(fd, text.data(), text.size());
        text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return text;
    }
};

} // namespace

TEST_CASE("a value that is redacted later hides no longer one that holds it") {
    Output output(-1, -1, {"A=the longer value of it"});
    output.redact("longer value");
    output.redact("it is the longer value of it all");
    output.redact("of"); // too short
    CHECK(
        output.redacted("the longer value of it, it is the longer value of it all, a longer value of some") ==
        "[redacted], [redacted], a [redacted] of some");
}

TEST_CASE("output leaves by whole lines, redacted, and nobody can drive a terminal with it") {
    const Pipes pipes;
    const Scratch scratch;
    Output output(pipes.out[1], pipes.err[1], {"TOKEN=hunter2-long", "PART=hunter2", "SHORT=x", "EMPTY="});
    output.log_to(
        LogFile(Fd(::open(scratch.path("log").c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600))));
    output.say("said \x1b[31m hunter2-long\nforged");
    CHECK(Pipes::read(pipes.err[0]) == "said \\x1b[31m [redacted]\\x0aforged\n");
    output.relay("step 1\nhalf hun");
    CHECK(Pipes::read(pipes.out[0]) == "step 1\n");
    output.relay("ter2\nrest");
    CHECK(Pipes::read(pipes.out[0]) == "half [redacted]\n");
    output.flush();
    output.flush();
    CHECK(Pipes::read(pipes.out[0]) == "rest\n");
    output.relay("\x1b[2J\x1b]0;title\a\tcaf\u00e9\xff\r\n10%\r20%\n");
    CHECK(Pipes::read(pipes.out[0]) == "\\x1b[2J\\x1b]0;title\\x07\tcaf\u00e9\\xff\n10%\n20%\n");
    output.relay(std::string(8'191, 'x') + "\xc3"); // a character that arrives in two parts stays whole
    output.relay("\xa9\n");
    CHECK(Pipes::read(pipes.out[0]) == std::string(8'191, 'x') + "\u00e9\n");
    output.relay(std::string(20'000, 'x')); // a line without end does not grow for ever
    CHECK(Pipes::read(pipes.out[0]).size() == 20'000);
    CHECK(scratch.read("log").starts_with(
        "said \\x1b[31m [redacted]\\x0aforged\nstep 1\nhalf [redacted]\nrest\n\\x1b[2J"));
}

TEST_CASE("a client that left costs nothing, and a log has an end") {
    Pipes pipes;
    const Scratch scratch;
    Output output(pipes.out[1], pipes.err[1], {});
    output.log_to(
        LogFile(Fd(::open(scratch.path("log").c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600))));
    ::signal(SIGPIPE, SIG_IGN);
    ::close(std::exchange(pipes.out[0], ::dup(0)));
    output.relay("the first line\n");
    for (int i = 0; i < 40'000; ++i)
        output.relay(fmt::format("{:099}\n", i));
    const std::string log = scratch.read("log");
    CHECK(log.size() <= LogFile::max_size);
    CHECK(log.size() > LogFile::max_size / 2);
    CHECK(log.starts_with("the first line\n"));
    CHECK(log.ends_with(fmt::format("{:099}\n", 39'999)));
    const auto cut = log.find("left out: the log grew too long]\n");
    REQUIRE(cut != std::string::npos);
    CHECK(log.find("left out", cut + 1) == std::string::npos);
    CHECK(log[cut + 33] == '0'); // and goes on with a whole line
    CHECK(log.find('\n', cut + 33) == cut + 33 + 99);
}

TEST_CASE("the ps table is aligned") {
    Container web;
    web.name = "demo_web_1";
    web.service = "web";
    web.state = "running";
    web.health = ContainerHealth::healthy;
    web.ports = {"0.0.0.0:5007->80/tcp", "0.0.0.0:5008->81/tcp"};
    web.image = "bb";
    web.created = 1000;
    Container db = web;
    db.name = "demo_db_1";
    db.service = "db\x1b";
    db.state = "exited";
    db.exit_code = 3;
    db.health = ContainerHealth::none;
    db.ports = {};
    CHECK(
        container_table(std::vector{web, db}, 1000 + 3 * 3600) ==
        "NAME        SERVICE  STATE     HEALTH   PORTS                                       IMAGE  CREATED\n"
        "demo_web_1  web      running   healthy  0.0.0.0:5007->80/tcp, 0.0.0.0:5008->81/tcp  bb     3h\n"
        "demo_db_1   db\\x1b   exited 3  -        -                                           bb     3h\n");
    CHECK(container_lines(std::vector{web, db}) ==
          std::vector<std::string>{"db\\x1b exited 3", "web running (healthy)"});
    CHECK(container_json({}) == "[]\n");
    CHECK(container_json(std::vector{web}).find("\"service\":\"web\"") != std::string::npos);
}

TEST_CASE("the arguments of logs") {
    using Args = std::vector<std::string>;
    const auto parsed = parse_log_options(Args{"-f", "--tail", "5", "web", "--since=10m", "db"});
    REQUIRE(parsed);
    CHECK(*parsed == LogOptions{true, false, "5", "10m", {"web", "db"}});
    CHECK(*parse_log_options(Args{"--since", "2026-01-02T03:04:05Z"}) ==
          LogOptions{false, false, "", "2026-01-02T03:04:05Z", {}});
    CHECK(*parse_log_options(Args{"-t", "-n", "3"}) == LogOptions{false, true, "3", "", {}});
    CHECK(*parse_log_options(Args{"--timestamps"}) == LogOptions{false, true, "", "", {}});
    CHECK(*parse_log_options(Args{}) == LogOptions{});
    for (const Args& bad : {Args{"--tail"},
                            {"-n"},
                            {"--tail", "-1"},
                            {"--tail="},
                            {"--tail", "x"},
                            {"--since", "--all"},
                            {"--since="},
                            {"-a"},
                            {"--latest"},
                            {"--since", "$(id)"}})
        CHECK_MESSAGE(!parse_log_options(bad), bad.front());
}

TEST_CASE("how much has to be free on a disk") {
    constexpr std::uint64_t mebi = 1 << 20;
    constexpr std::uint64_t gibi = 1 << 30;
    struct Row {
        FreeSpace space;
        const char* problem; // its beginning; "": none
    };
    const Row rows[] = {
        {{1000 * gibi, 200 * mebi, 0, 0}, ""},
        {{1000 * gibi, 199 * mebi, 0, 0}, "the disk is full: 199 MiB are free at /srv, "},
        {{100 * mebi, 3 * mebi, 0, 0}, ""},
        {{100 * mebi, 1 * mebi, 0, 0},
         "the disk is full: 1 MiB are free at /srv, and a deployment begins with 2 "},
        {{100 * gibi, 50 * gibi, 100'000, 999}, "the disk is full: 999 inodes are free at /srv, "},
        {{100 * gibi, 50 * gibi, 100'000, 1'000}, ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.problem);
        const auto judged = judge_space(row.space, "/srv");
        CHECK(judged.has_value() == (*row.problem == 0));
        if (!judged) {
            CHECK(judged.error().message.starts_with(row.problem));
            CHECK(judged.error().code == Code::transient);
        }
    }
}

TEST_CASE("the memory controller is one name of several") {
    CHECK(has_memory_controller("cpu memory pids\n"));
    CHECK(has_memory_controller("memory\n"));
    CHECK_FALSE(has_memory_controller("hugetlb memory2 pids\n"));
    CHECK_FALSE(has_memory_controller(""));
}

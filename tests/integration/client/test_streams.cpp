// What comes out while an operation runs, how it ends, and how it is left.
#include "base/fd.hpp"
#include "scene.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

using namespace pgod;
using namespace pgod::test;

namespace {

struct KnownScene : Scene {
    KnownScene() { know_host(); }

    os::RunResult run(const std::string& request, const Words& args = {}) const {
        Words all{"-i", good(), "127.0.0.1:" + request};
        all.insert(all.end(), args.begin(), args.end());
        return pgoctl(all);
    }
};

struct Pipe {
    Fd read;
    Fd write;
    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
};

// Reads up to the next newline; empty at the end.
std::string read_line(int fd) {
    std::string line;
    for (char c = 0; c != '\n' && ::read(fd, &c, 1) == 1;)
        line += c;
    return line;
}

int reaped(os::Child& child) {
    return os::exit_code_of(child.reap());
}

} // namespace

TEST_CASE_FIXTURE(KnownScene, "arguments survive unharmed, also those with dashes") {
    const Words args{"-f", "--tail", "5",  "--", "a b",    "it's", "$HOME",
                     "*",  "\"",     "\\", "",   "--json", "Käse"};
    std::string expected;
    for (const std::string& word : args)
        expected += fmt::format("<{}>\n", word);
    const auto result = run("demo//ps", args);
    CHECK(status_of(result) == 0);
    CHECK(result.output == expected);
    CHECK(pgoctl({"--json", "-i", good(), "--", "127.0.0.1:demo//ps", "x"}).output == "<--json>\n<x>\n");
}

TEST_CASE_FIXTURE(KnownScene, "the operation's exit status is pgoctl's") {
    for (const int status : {0, 1, 64, 65, 70, 75, 77, 80, 81, 125, 255}) {
        CAPTURE(status);
        const auto result = run("demo//status", {std::to_string(status)});
        CHECK(status_of(result) == status);
        CHECK(result.output == "out\n");
        CHECK(result.errors == "err\n");
    }
    const auto killed = run("demo//list");
    CHECK(status_of(killed) == 70);
    CHECK(killed.errors == "pgoctl: the operation was ended by signal TERM\n");
}

TEST_CASE_FIXTURE(KnownScene, "a line appears before the operation ends") {
    Pipe out;
    auto child = start_pgoctl({"-i", good(), "127.0.0.1:demo//build", path("go")}, -1, out.write.get(), -1);
    out.write.reset();
    CHECK(read_line(out.read.get()) == "first\n");
    CHECK_FALSE(child.try_reap());
    write("go", "");
    CHECK(read_line(out.read.get()) == "second\n");
    CHECK(reaped(child) == 0);
}

TEST_CASE_FIXTURE(KnownScene, "20 MB on stdout and stderr at once arrive intact") {
    std::string bytes(20'000'000, '\0');
    std::uint32_t state = 1;
    for (char& byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    write("random", bytes);
    const auto result = run("demo//pull", {path("random")});
    CHECK(status_of(result) == 0);
    CHECK(result.output == bytes);
    CHECK(result.errors == bytes);
}

TEST_CASE_FIXTURE(KnownScene, "nothing listens, or what listens is not SSH") {
    const auto refused =
        run_program({PGOCTL, "-p", std::to_string(free_port()), "-i", good(), "localhost:demo//ping"});
    CHECK(status_of(refused) == 69);
    CHECK(refused.errors.find("cannot connect to localhost port") != std::string::npos);
    const auto nowhere = run_program({PGOCTL, "-i", good(), "no-such-host.invalid:demo//ping"});
    CHECK(status_of(nowhere) == 69);
    CHECK(nowhere.errors.find("cannot find the host no-such-host.invalid") != std::string::npos);

    std::uint16_t port = 0;
    const Fd silent = listening(port);
    const Words at_silent{PGOCTL, "-p",   std::to_string(port),  "--timeout", "1",
                          "-i",   good(), "127.0.0.1:demo//ping"};
    CHECK(status_of(run_program(at_silent)) == 69);

    const Fd web = listening(port);
    auto child = start_pgoctl({"-p", std::to_string(port), "-i", good(), "127.0.0.1:demo//ping"}, -1, -1, -1);
    wait_until([&] {
        pollfd polled{web.get(), POLLIN, 0};
        return ::poll(&polled, 1, 0) == 1;
    });
    const Fd connection(::accept4(web.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(::write(connection.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28) == 28);
    REQUIRE(::shutdown(connection.get(), SHUT_WR) == 0);
    CHECK(reaped(child) == 69);
}

TEST_CASE_FIXTURE(KnownScene, "a server that vanishes in mid-stream is 69") {
    Pipe out;
    Pipe err;
    auto child = start_pgoctl({"-i", good(), "127.0.0.1:demo//sync", path("go")}, -1, out.write.get(),
                              err.write.get());
    out.write.reset();
    err.write.reset();
    CHECK(read_line(out.read.get()) == "half\n");
    write("go", "");
    CHECK(read_line(err.read.get()).find("the connection was lost before the operation ended") !=
          std::string::npos);
    CHECK(reaped(child) == 69);
}

TEST_CASE_FIXTURE(KnownScene, "control-C ends what only reads, on both sides") {
    for (const int signal : {SIGINT, SIGTERM}) {
        CAPTURE(signal);
        Pipe out;
        const std::string ended = fmt::format("ended{}", signal);
        auto child =
            start_pgoctl({"-i", good(), "127.0.0.1:demo//logs", path(ended)}, -1, out.write.get(), -1);
        out.write.reset();
        CHECK(read_line(out.read.get()) == "tick\n");
        ::kill(child.pid(), signal);
        CHECK(reaped(child) == 128 + signal);
        wait_until([&] { return std::filesystem::exists(path(ended)); });
    }
}

TEST_CASE_FIXTURE(KnownScene, "control-C leaves what changes something to the server, and says so") {
    Pipe out;
    Pipe err;
    auto child =
        start_pgoctl({"-i", good(), "127.0.0.1:demo//up", path("go")}, -1, out.write.get(), err.write.get());
    out.write.reset();
    err.write.reset();
    CHECK(read_line(out.read.get()) == "began\n");
    ::kill(child.pid(), SIGINT);
    CHECK(reaped(child) == 75);
    CHECK(read_line(err.read.get()) ==
          fmt::format("pgoctl: the server finishes what it began; ask with `pgoctl -p {} "
                      "127.0.0.1:demo//status`\n",
                      port()));
    write("go", "");
    wait_until([&] { return std::filesystem::exists(path("go.finished")); });
}

TEST_CASE_FIXTURE(KnownScene, "output that cannot be written is said") {
    const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    Pipe err;
    auto child = start_pgoctl({"-i", good(), "127.0.0.1:demo//ping"}, -1, full.get(), err.write.get());
    err.write.reset();
    CHECK(read_line(err.read.get()) == "pgoctl: cannot write the output: No space left on device\n");
    CHECK(reaped(child) == 1);
}

TEST_CASE_FIXTURE(KnownScene, "a reader that leaves ends what only reads, quietly") {
    Pipe out;
    Pipe err;
    auto child = start_pgoctl({"-i", good(), "127.0.0.1:demo//logs", path("ended")}, -1, out.write.get(),
                              err.write.get());
    out.write.reset();
    err.write.reset();
    CHECK(read_line(out.read.get()) == "tick\n");
    out.read.reset();
    CHECK(reaped(child) == 128 + SIGPIPE);
    CHECK(read_line(err.read.get()).empty());
    wait_until([&] { return std::filesystem::exists(path("ended")); });
}

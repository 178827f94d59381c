// What the operation prints: whole, in order, bounded in memory, and ended in every way it can end.
#include "clients.hpp"

#include "os/run.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

using namespace pgod;
using namespace pgod::test;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t megabyte = 1 << 20;
// A child's own memory is a few megabytes; with sanitizers it is more.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t memory_bound = 400 * megabyte;
#else
constexpr std::size_t memory_bound = 24 * megabyte;
#endif

// The writer has begun, after `others` bytes of earlier ones, and gets no further for a second.
bool stalls(const FakeSupervisor& supervisor, std::uint64_t others = 0) {
    return eventually([&supervisor, others] {
        const auto before = supervisor.bytes_written();
        std::this_thread::sleep_for(1s);
        return before > others && supervisor.bytes_written() == before;
    });
}

} // namespace

TEST_CASE("fifty megabytes arrive bit for bit, also with a new key exchange every megabyte") {
    Scene scene;
    const std::size_t size = 50 * megabyte;
    for (const std::string limit : {"default", "1M"}) {
        CAPTURE(limit);
        const auto result = scene.clients.ssh(scene.port(), scene.key, fmt::format("stream {}", size),
                                              {"-o", "RekeyLimit=" + limit});
        CHECK(code(result) == 0);
        CHECK(result.output.size() == size);
        CHECK((result.output == pattern(size))); // in parentheses: not to be printed
    }
}

TEST_CASE("both streams at once arrive whole") {
    Scene scene;
    const std::size_t size = 8 * megabyte;
    const auto result =
        scene.clients.ssh(scene.port(), scene.key, fmt::format("both {}", size), {"-o", "RekeyLimit=1M"});
    CHECK(code(result) == 0);
    CHECK((result.output == pattern(size)));
    CHECK((result.errors == pattern(size)));
}

TEST_CASE("the supervisor's own words in full frames arrive whole") {
    Scene scene;
    const auto result = scene.clients.ssh(scene.port(), scene.key, "texts 200");
    CHECK(code(result) == 0);
    CHECK(result.output.size() == 200 * ipc::max_text_bytes);
}

TEST_CASE("a slow reader grows nothing") {
    Scene scene;
    for (const std::string command : {"endless", "texts 100000"}) {
        CAPTURE(command);
        const auto others = scene.supervisor.bytes_written();
        std::array<int, 2> output{};
        REQUIRE(::pipe2(output.data(), O_CLOEXEC) == 0);
        const Fd reader(output[0]);
        Fd writer(output[1]);
        const auto client = scene.clients.start_ssh(scene.port(), scene.key, command, writer.get());
        writer.reset();
        REQUIRE(stalls(scene.supervisor, others));
        const auto children = scene.supervisor.children();
        REQUIRE(children.size() == 1);
        CHECK(peak_memory(children.front()) < memory_bound);
        client.signal_group(SIGKILL);
        CHECK(eventually([&] { return scene.supervisor.children().empty(); }));
    }
}

TEST_CASE("a client with a window of gigabytes that stops reading grows nothing") {
    Scene scene;
    os::SpawnRequest request;
    request.program = "/usr/bin/python3";
    request.argv = scene.clients.hostile_argv("reads_nothing", scene.port(), scene.key);
    const auto client = os::spawn(request); // stops itself
    REQUIRE(client.has_value());
    REQUIRE(stalls(scene.supervisor));
    const auto children = scene.supervisor.children();
    REQUIRE(children.size() == 1);
    CHECK(peak_memory(children.front()) < memory_bound);
}

TEST_CASE("input beyond every window ends the connection and no other") {
    Scene scene;
    const auto flood = scene.clients.hostile("flood", scene.port(), scene.key);
    CAPTURE(flood.errors);
    CHECK(flood.output != "all\n");
    CHECK(std::stoul(flood.output) < 64); // what sockets and clients buffer on the way
    CHECK(eventually([&] { return scene.supervisor.open_connections() == 0; }));
    CHECK(scene.clients.ssh(scene.port(), scene.key, "ping").output == "pong! - test\n");
}

TEST_CASE("a client that vanishes closes its pair and its pipes") {
    Scene scene;
    for (const std::string command : {"hang", "endless"}) {
        CAPTURE(command);
        const auto runs = scene.supervisor.runs().size();
        const auto client = scene.clients.start_ssh(scene.port(), scene.key, command);
        REQUIRE(eventually([&] { return scene.supervisor.runs().size() > runs; }));
        client.signal_group(SIGKILL);
        CHECK(eventually([&] { return scene.supervisor.open_connections() == 0; }));
        CHECK(eventually([&] { return scene.supervisor.children().empty(); }));
    }
}

TEST_CASE("a client that closes its channel has left") {
    Scene scene;
    const auto result = scene.clients.hostile("leaves_channel", scene.port(), scene.key);
    CAPTURE(result.errors);
    CHECK(result.output == "disconnected\n");
    CHECK(eventually([&] { return scene.supervisor.open_connections() == 0; }));
}

TEST_CASE("a process that keeps the pipes open does not keep the client") {
    Scene scene;
    const auto result = scene.clients.ssh(scene.port(), scene.key, "grandchild");
    CHECK(code(result) == 0);
    CHECK(result.output == "before the end\n");
    CHECK(result.errors == "before the end\n");
}

TEST_CASE("the supervisor closes the pair: 69") {
    Scene scene;
    const auto result = scene.clients.ssh(scene.port(), scene.key, "leave");
    CHECK(code(result) == 69);
    CHECK(result.errors == "pgod is stopping\n");
}

TEST_CASE("a frame that is none: 70") {
    Scene scene;
    const auto result = scene.clients.ssh(scene.port(), scene.key, "babble");
    CHECK(code(result) == 70);
    CHECK(result.errors.starts_with("internal error"));
}

TEST_CASE("the supervisor ends: its clients are told, and pgod-ssh ends") {
    Scene scene;
    auto& supervisor = scene.supervisor;
    os::RunResult result;
    {
        const std::jthread client([&] { result = scene.clients.ssh(scene.port(), scene.key, "hang"); });
        REQUIRE(eventually([&] { return !supervisor.runs().empty(); }));
        supervisor.stop();
    }
    CHECK(code(result) == 69);
    CHECK(result.errors == "pgod is stopping\n");
    CHECK(supervisor.wait_status() == 0);
}

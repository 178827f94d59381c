// What the client sends: whole, in order, bounded in memory, with its end; and a terminal.
#include "clients.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

using namespace pgod;
using namespace pgod::test;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t megabyte = 1 << 20;
// Two windows of input, libssh's buffer for them, and a child's own few megabytes; with sanitizers it is
// more.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t memory_bound = 400 * megabyte;
#else
constexpr std::size_t memory_bound = 32 * megabyte;
#endif

} // namespace

TEST_CASE("input comes back bit for bit, also with a new key exchange every megabyte") {
    Scene scene;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 30 * megabyte + 1}) {
        for (const std::string limit : {"default", "1M"}) {
            CAPTURE(size);
            CAPTURE(limit);
            const auto result = scene.clients.ssh_with_input(scene.port(), scene.key, "cat", pattern(size),
                                                             {"-o", "RekeyLimit=" + limit});
            CHECK(code(result) == 5);
            CHECK(result.output.size() == size);
            CHECK((result.output == pattern(size))); // in parentheses: not to be printed
        }
    }
}

TEST_CASE("a client that sends and does not read is stopped, and grows nothing") {
    Scene scene;
    std::array<int, 2> output{};
    REQUIRE(::pipe2(output.data(), O_CLOEXEC) == 0);
    const Fd reader(output[0]);
    Fd writer(output[1]);
    os::SpawnRequest request;
    request.program = "/usr/bin/ssh";
    request.argv = scene.clients.ssh_argv(scene.port(), scene.key, "cat");
    const Fd zeros(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    request.descriptors = {{zeros.get(), 0}, {writer.get(), 1}};
    auto client = os::spawn(request);
    REQUIRE(client.has_value());
    writer.reset();
    REQUIRE(eventually([&] {
        const auto before = scene.supervisor.bytes_written();
        std::this_thread::sleep_for(1s);
        return before > 0 && scene.supervisor.bytes_written() == before;
    }));
    REQUIRE(eventually([&] { return scene.supervisor.children().size() == 1; }));
    const auto children = scene.supervisor.children();
    CHECK(peak_memory(children.front()) < memory_bound);
    client->signal_group(SIGKILL);
    CHECK(eventually([&] { return scene.supervisor.children().empty(); }));
}

TEST_CASE("a terminal: what is typed arrives, with the size that the client has") {
    Scene scene;
    const auto result =
        scene.clients.ssh_with_input(scene.port(), scene.key, "terminal", "one\ntwo\nend\n", {"-tt"});
    CHECK(code(result) == 6);
    CHECK(result.output == "80x24 one\r\n80x24 two\r\n80x24 end\r\n");
}

TEST_CASE("control-C from a raw terminal ends what has no terminal of its own") {
    Scene scene;
    const auto result = scene.clients.ssh_with_input(scene.port(), scene.key, "hang", "x\x03", {"-tt"});
    CHECK(code(result) == 130);
    CHECK(result.errors == "interrupted\r\n");
    CHECK(eventually([&] { return scene.supervisor.open_connections() == 0; }));
}

#include "daemon/connection.hpp"

#include "ipc/control_messages.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace pgod;
using namespace pgod::daemon;
using namespace std::chrono_literals;

namespace {

struct Scene {
    EventLoop loop;
    bool closed = false;
    os::Line line = *os::make_line();
    Connection connection{loop, 1, std::move(line.upper), Peer{"peer"},
                          Connection::Handlers{[](const PublicKey&) { return false; },
                                               [](Connection&, const ipc::Run&) {}, [](int) {},
                                               [this](Connection&) {
                                                   closed = true;
                                                   loop.stop();
                                               }}};
};

} // namespace

TEST_CASE("an answer larger than the socket's buffer arrives whole and in order") {
    Scene scene;
    std::string answer;
    while (answer.size() < 3'000'000)
        answer += std::to_string(answer.size()) + " ";
    scene.connection.print(answer);
    scene.connection.finish(3);
    std::string received;
    int status = -1;
    std::thread reader([&] {
        while (true) {
            const auto frame = scene.line.lower.down.receive();
            if (!frame || frame->closed())
                break;
            const auto reply = ipc::decode<ipc::SshReply>(frame->bytes);
            if (!reply)
                break;
            if (const auto* text = std::get_if<ipc::Text>(&*reply))
                received += text->bytes;
            if (const auto* exit = std::get_if<ipc::Exit>(&*reply)) {
                status = exit->status;
                break;
            }
        }
        scene.line.lower.close(); // which the connection sees, and ends the loop
    });
    scene.loop.run();
    reader.join();
    CHECK(status == 3);
    CHECK((received == answer));
}

TEST_CASE("a client that does not read ends its connection, not the memory") {
    Scene scene;
    scene.connection.print(std::string(std::size_t{6} << 20, 'x'));
    CHECK(scene.closed);
}

TEST_CASE("a process of root's own asks once, in frames without descriptors") {
    const auto outcome_of = [](const std::vector<std::string>& frames, bool with_descriptor) {
        EventLoop loop;
        std::string asked = "-";
        auto ends = *os::Channel::pair();
        Connection connection{loop, 1, os::UpperEnd::to_equal(std::move(ends[0])), Peer{"local", 1001},
                              Connection::Handlers{[](const PublicKey&) { return true; },
                                                   [&asked](Connection& self, const ipc::Run& run) {
                                                       asked = run.command + run.fingerprint +
                                                               run.key.base64 + std::to_string(*self.uid());
                                                   },
                                                   [](int) {},
                                                   [&loop](Connection&) {
                                                       loop.stop();
                                                   }}};
        const int descriptor = ends[1].fd();
        for (const auto& frame : frames)
            REQUIRE(ends[1].send(frame, {&descriptor, with_descriptor ? std::size_t{1} : 0}));
        ends[1].close();
        loop.run();
        return asked;
    };
    const std::string ask = ipc::encode(ipc::ControlRequest(ipc::Ask{"web//ps", {}}));
    const ipc::Run run{{"ssh-ed25519", "AAAA", "", {}}, "SHA256:abc", "root", "web//ps", {}};
    CHECK(outcome_of({ask}, false) == "web//ps1001");
    CHECK(outcome_of({ask}, true) == "-");
    CHECK(outcome_of({ipc::encode(ipc::SshRequest(run))}, false) == "-"); // it cannot say who it is
    CHECK(outcome_of({std::string(1000, 'x'), ask}, false) == "-");
    CHECK(outcome_of({ipc::encode(ipc::ControlRequest(ipc::Ask{std::string(8193, 'x'), {}}))}, false) == "-");
}

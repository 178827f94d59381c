// Strangers: whatever they do, and however many they are, a good key gets its answer.
#include "clients.hpp"

#include "os/run.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <libssh/libssh.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

using namespace pgod;
using namespace pgod::test;

namespace {

using namespace std::chrono_literals;

Fd connect_to(std::uint16_t port) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

// The peer closed or reset it.
bool is_closed(const Fd& fd) {
    std::array<char, 4096> rest{};
    while (true) {
        const ssize_t got = ::recv(fd.get(), rest.data(), rest.size(), MSG_DONTWAIT);
        if (got <= 0)
            return got == 0 || errno == ECONNRESET;
    }
}

FakeSupervisor::Settings with_deadline(std::chrono::milliseconds deadline) {
    FakeSupervisor::Settings settings;
    settings.start.login_deadline = deadline;
    return settings;
}

} // namespace

TEST_CASE("two hundred idle connections and fifty that send garbage: a good key gets its answer") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    std::vector<Fd> crowd;
    for (int i = 0; i < 200; ++i)
        crowd.push_back(connect_to(supervisor.port()));
    const std::vector<std::string> garbage{"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                           "SSH-2.0-x\r\n" + std::string(4000, '\xff'),
                                           std::string(100'000, '\0'), pattern(50'000), "SSH-1.5-old\n"};
    for (std::size_t i = 0; i < 50; ++i) {
        crowd.push_back(connect_to(supervisor.port()));
        const auto& bytes = garbage[i % garbage.size()];
        (void)::send(crowd.back().get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto result = clients.ssh(supervisor.port(), key, "ping");
    MESSAGE("ping among strangers: " << std::chrono::duration_cast<std::chrono::milliseconds>(
                                            std::chrono::steady_clock::now() - begin)
                                            .count()
                                     << " ms");
    CHECK(result.output == "pong! - test\n");
    CHECK(os::exit_code_of(result.wait_status) == 0);
    CHECK(supervisor.seen_connections() == 251);
    CHECK(eventually([&] { return supervisor.children().size() <= 16; }));
    crowd.push_back(connect_to(supervisor.port()));
    CHECK(eventually([&] { return supervisor.seen_connections() == 252; }));
    CHECK(is_closed(crowd.front())); // the oldest was evicted
    CHECK(!is_closed(crowd.back())); // the newest was let in
}

TEST_CASE("a house full of requests turns the newest away, and has room again") {
    FakeSupervisor::Settings settings;
    settings.start.max_connections = 2;
    settings.start.max_strangers = 2;
    FakeSupervisor supervisor(settings);
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    auto first = clients.start_ssh(supervisor.port(), key, "hang");
    auto second = clients.start_ssh(supervisor.port(), key, "hang");
    REQUIRE(eventually([&] { return supervisor.runs().size() == 2; }));
    const auto turned_away = clients.ssh(supervisor.port(), key, "ping");
    CHECK(os::exit_code_of(turned_away.wait_status) == 255);
    CHECK(eventually([&] { return supervisor.turned_away() == 1; }));
    first.signal_group(SIGKILL);
    CHECK(eventually([&] { return supervisor.children().size() == 1; }));
    CHECK(eventually([&] { return clients.ssh(supervisor.port(), key, "ping").output == "pong! - test\n"; }));
    CHECK(supervisor.children().size() <= 2);
}

TEST_CASE("a silent client is dropped at the login deadline, whatever it has said so far") {
    FakeSupervisor supervisor(with_deadline(1s));
    const Fd silent = connect_to(supervisor.port());
    const Fd greeted = connect_to(supervisor.port());
    (void)::send(greeted.get(), "SSH-2.0-x\r\n", 11, MSG_NOSIGNAL);
    CHECK(eventually([&] { return is_closed(silent) && is_closed(greeted); }));
    CHECK(eventually([&] { return supervisor.children().empty() && supervisor.open_connections() == 0; }));
}

TEST_CASE("a child that hangs is ended by its parent") {
    FakeSupervisor supervisor(with_deadline(5s)); // enough for us to find it before
    const Fd silent = connect_to(supervisor.port());
    REQUIRE(eventually([&] { return supervisor.children().size() == 1; }));
    REQUIRE(::kill(supervisor.children().front(), SIGSTOP) == 0);
    CHECK(eventually([&] { return supervisor.children().empty(); }));
    CHECK(eventually([&] { return is_closed(silent); }));
}

TEST_CASE("the child that waits for a connection gets one, and one that was killed is replaced") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    REQUIRE(eventually([&] { return supervisor.spare() > 0; }));
    const auto first = supervisor.spare();
    const auto hanging = clients.start_ssh(supervisor.port(), key, "hang");
    CHECK(eventually([&] { return supervisor.children() == std::vector<pid_t>{first}; }));
    const auto second = supervisor.spare();
    REQUIRE(second != first);
    REQUIRE(::kill(second, SIGKILL) == 0);
    CHECK(clients.ssh(supervisor.port(), key, "ping").output == "pong! - test\n");
    CHECK(eventually([&] { return supervisor.spare() != second && supervisor.spare() != first; }));
}

TEST_CASE("a client that logs in and asks for nothing is dropped") {
    Clients clients;
    const auto key = clients.key("mine");
    std::string became;
    for (const auto deadline : {2s, 10s, 60s}) { // a busy machine may need longer to log in
        FakeSupervisor supervisor(with_deadline(deadline));
        supervisor.know(key + ".pub");
        const auto result = clients.hostile("silent_after_login", supervisor.port(), key);
        CHECK(eventually([&] { return supervisor.children().empty(); }));
        became = result.output + result.errors;
        if (result.output == "disconnected\n")
            break;
    }
    CHECK(became == "disconnected\n");
}

TEST_CASE("two thousand probes, of a known key too: the connection ends after twenty") {
    FakeSupervisor supervisor;
    Clients clients;
    supervisor.know(clients.key("mine") + ".pub");
    for (const char* name : {"mine", "stranger"}) {
        const std::unique_ptr<ssh_session_struct, decltype(&::ssh_free)> session(::ssh_new(), &::ssh_free);
        const bool process_config = false;
        const unsigned port = supervisor.port();
        ::ssh_options_set(session.get(), SSH_OPTIONS_PROCESS_CONFIG, &process_config);
        ::ssh_options_set(session.get(), SSH_OPTIONS_HOST, "127.0.0.1");
        ::ssh_options_set(session.get(), SSH_OPTIONS_PORT, &port);
        ::ssh_options_set(session.get(), SSH_OPTIONS_SSH_DIR, clients.path().c_str());
        REQUIRE(::ssh_connect(session.get()) == SSH_OK);
        ssh_key key = nullptr;
        REQUIRE(::ssh_pki_import_pubkey_file((clients.key(name) + ".pub").c_str(), &key) == SSH_OK);
        int answered = 0;
        while (answered < 2000 &&
               ::ssh_userauth_try_publickey(session.get(), "someone", key) != SSH_AUTH_ERROR)
            ++answered;
        CHECK(answered >= 10);
        CHECK(answered <= 21); // the last one is told no
        ::ssh_key_free(key);
    }
    CHECK(eventually([&] { return supervisor.open_connections() == 0; }));
}

TEST_CASE("a supervisor that does not answer is not waited for without end, and refuses nobody") {
    FakeSupervisor::Settings settings;
    settings.mute = true;
    FakeSupervisor supervisor(settings);
    Clients clients;
    const auto result = clients.ssh(supervisor.port(), clients.key("mine"), "ping");
    CHECK(os::exit_code_of(result.wait_status) == 255);
    CHECK(result.errors.find("Permission denied") == std::string::npos); // nobody said so
    CHECK(eventually([&] { return supervisor.children().empty(); }));
}

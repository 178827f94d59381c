// Who gets in, what is asked for, and how it ends.
#include "clients.hpp"

#include "base/text.hpp"
#include "os/run.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace pgod;
using namespace pgod::test;

namespace {

constexpr int ssh_failed = 255; // of ssh(1) itself

// ssh-agent with some keys, stopped by its destructor.
struct Agent {
    Agent(const Clients& clients, const std::vector<std::string>& keys)
        : socket((clients.path() / "agent").string()) {
        std::filesystem::remove(socket);
        os::SpawnRequest request;
        request.program = "/usr/bin/ssh-agent";
        request.argv = {"ssh-agent", "-D", "-a", socket};
        request.die_with_parent = true;
        process = std::move(*os::spawn(request));
        REQUIRE(eventually([this] { // 1: it answers, and has no keys
            return code(run_program({"/usr/bin/ssh-add", "-l"}, {"SSH_AUTH_SOCK=" + socket})) == 1;
        }));
        for (const auto& key : keys)
            REQUIRE(run_program({"/usr/bin/ssh-add", "-q", key}, {"SSH_AUTH_SOCK=" + socket}).succeeded());
    }
    std::string socket;
    os::Child process;
};

} // namespace

TEST_CASE("a known key gets its answer, whatever its type") {
    FakeSupervisor supervisor;
    Clients clients;
    const std::vector<std::vector<std::string>> kinds{{"-t", "ed25519"},
                                                      {"-t", "ecdsa", "-b", "256"},
                                                      {"-t", "ecdsa", "-b", "384"},
                                                      {"-t", "ecdsa", "-b", "521"},
                                                      {"-t", "rsa", "-b", "2048"}};
    for (const auto& kind : kinds) {
        const auto name = fmt::format("known-{}", fmt::join(kind, ""));
        CAPTURE(name);
        const auto key = clients.key(name, kind);
        supervisor.know(key + ".pub");
        const auto result = clients.ssh(supervisor.port(), key, "ping");
        CHECK(result.output == "pong! - test\n");
        CHECK(result.errors == "");
        CHECK(code(result) == 0);
    }
    REQUIRE(supervisor.runs().size() == kinds.size());
    const auto run = supervisor.runs().front();
    CHECK(run.command == "ping");
    CHECK(run.ssh_user == "someone");
    CHECK(run.key.type == "ssh-ed25519");
    const auto printed = run_program({"/usr/bin/ssh-keygen", "-lf", clients.key("known--ted25519") + ".pub"});
    CHECK(printed.output.find(run.fingerprint + " ") != std::string::npos);
    CHECK(supervisor.peers().front().starts_with("127.0.0.1:"));
}

TEST_CASE("the exit status and standard error are the operation's") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("key");
    supervisor.know(key + ".pub");
    for (const int status : {1, 77, 255}) {
        const auto result = clients.ssh(supervisor.port(), key, fmt::format("fail {}", status));
        CHECK(result.output == "");
        CHECK(result.errors == "this failed\n");
        CHECK(code(result) == status);
    }
}

TEST_CASE("ssh(1) shows the words of a refusal and its status, with a terminal as well") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("key");
    supervisor.know(key + ".pub");
    const auto plain = clients.ssh(supervisor.port(), key, "refuse");
    CHECK(plain.output == "");
    CHECK(plain.errors == "this key may not\n");
    CHECK(code(plain) == 77);
    const auto terminal = clients.ssh(supervisor.port(), key, "refuse", {"-tt"});
    CHECK(terminal.errors.find("this key may not\r\n") != std::string::npos);
    CHECK(code(terminal) == 77);
}

TEST_CASE("an unknown key is refused at authentication, and nothing is run for it") {
    FakeSupervisor supervisor;
    Clients clients;
    supervisor.know(clients.key("known") + ".pub");
    const auto result = clients.ssh(supervisor.port(), clients.key("stranger"), "ping");
    CHECK(code(result) == ssh_failed);
    CHECK(result.errors.find("Permission denied (publickey)") != std::string::npos);
    CHECK(supervisor.runs().empty());
}

TEST_CASE("a short RSA key is refused even when it is known") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("short", {"-t", "rsa", "-b", "1024"});
    supervisor.know(key + ".pub");
    CHECK(code(clients.ssh(supervisor.port(), key, "ping")) == ssh_failed);
    CHECK(supervisor.runs().empty());
}

TEST_CASE("an agent that holds a foreign key first") {
    FakeSupervisor supervisor;
    Clients clients;
    supervisor.know(clients.key("mine") + ".pub");
    const Agent agent(clients, {clients.key("foreign-1"), clients.key("foreign-2"), clients.key("mine")});
    const auto result =
        clients.ssh(supervisor.port(), "", "ping", {"-o", fmt::format("IdentityAgent={}", agent.socket)});
    CHECK(result.output == "pong! - test\n");
    CHECK(code(result) == 0);
}

TEST_CASE("after twenty keys the connection ends") {
    FakeSupervisor supervisor;
    Clients clients;
    supervisor.know(clients.key("mine") + ".pub");
    std::vector<std::string> keys;
    for (int i = 0; i < 30; ++i)
        keys.push_back(clients.key(fmt::format("foreign-{}", i)));
    keys.push_back(clients.key("mine"));
    const Agent agent(clients, keys);
    const auto result =
        clients.ssh(supervisor.port(), "", "ping",
                    {"-o", fmt::format("IdentityAgent={}", agent.socket), "-o", "LogLevel=INFO"});
    CAPTURE(result.errors);
    CHECK(code(result) == ssh_failed);
    CHECK(result.errors.find("too many login attempts") != std::string::npos);
    CHECK(supervisor.runs().empty());
}

TEST_CASE("passwords are not taken and not tried for ever") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto result = clients.hostile("passwords", supervisor.port(), "-");
    CAPTURE(result.errors);
    const auto tried = parse_decimal(trimmed(result.output));
    REQUIRE(tried.has_value());
    CHECK(*tried >= 2);
    CHECK(*tried <= 22); // with the one that finds the connection closed
}

TEST_CASE("a wrong signature does not get in and does not hang beyond the login deadline") {
    Clients clients;
    const auto key = clients.key("mine");
    std::string became;
    for (const int deadline : {1500, 10'000, 60'000}) { // a busy machine may need longer to get there
        FakeSupervisor::Settings settings;
        settings.start.login_deadline = std::chrono::milliseconds(deadline);
        FakeSupervisor supervisor(settings);
        supervisor.know(key + ".pub");
        const auto result = clients.hostile("wrong_signature", supervisor.port(), key);
        CHECK(eventually([&] { return supervisor.open_connections() == 0; }));
        CHECK(supervisor.runs().empty());
        became = result.output + result.errors;
        if (!result.output.empty())
            break;
    }
    CHECK(became == "refused\n");
}

TEST_CASE("one channel, one command, nothing else") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    for (const char* scenario : {"second_exec", "second_channel", "forwarding"}) {
        const auto result = clients.hostile(scenario, supervisor.port(), key);
        CAPTURE(scenario);
        CAPTURE(result.errors);
        CHECK(result.output == "refused\n");
    }
    CHECK(clients.hostile("ping", supervisor.port(), key).output == "pong! - test 0\n");
    const auto subsystem = clients.ssh(supervisor.port(), key, "sftp", {"-s"});
    CHECK(code(subsystem) == ssh_failed);
    CHECK(supervisor.runs().back().command == "ping");
}

// libssh gives pgod the command as a C string.
TEST_CASE("a command with a NUL reaches the supervisor with one, so that it is refused") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    for (const char* scenario : {"nul", "nul_at_the_end", "nul_behind_other_packets"}) {
        CAPTURE(scenario);
        (void)clients.hostile(scenario, supervisor.port(), key);
        CHECK(supervisor.runs().back().command == std::string("ping\0", 5));
    }
    CHECK(clients.hostile("other_packets", supervisor.port(), key).output == "pong! - test\n 0\n");
    for (const auto& options :
         std::vector<std::vector<std::string>>{{}, {"-tt"}, {"-o", "SendEnv=*"}, {"-C"}, {"-A"}}) {
        CAPTURE(options);
        CHECK(clients.ssh(supervisor.port(), key, "ping", options).output.starts_with("pong! - test"));
        CHECK(supervisor.runs().back().command == "ping");
    }
}

TEST_CASE("no command: one sentence and 64") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    const auto result = clients.ssh(supervisor.port(), key, "");
    CHECK(code(result) == 64);
    CHECK(result.output == "");
    CHECK(result.errors.find("SERVICE//OPERATION") != std::string::npos);
}

TEST_CASE("a client with a raw terminal gets carriage returns from what has no terminal of its own") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    const auto result = clients.ssh(supervisor.port(), key, "ping", {"-tt"});
    CHECK(code(result) == 0);
    CHECK(result.output == "pong! - test\r\n");
    const auto run = supervisor.runs().front();
    REQUIRE(run.terminal.has_value());
    CHECK(run.terminal->columns == 80); // as ssh(1) says it where there is none
    CHECK_FALSE(run.terminal->type.empty());
}

TEST_CASE("a command that is too long: one sentence and 64") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    CHECK(code(clients.ssh(supervisor.port(), key, "ping " + std::string(8187, 'x'))) == 0);
    const auto result = clients.ssh(supervisor.port(), key, "ping " + std::string(8188, 'x'));
    CHECK(code(result) == 64);
    CHECK(result.errors == "the command is longer than 8192 bytes; shorten it\n");
    CHECK(supervisor.runs().size() == 1);
}

TEST_CASE("environment and standard input of the client are not wanted") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    os::RunRequest request;
    request.spawn.program = "/usr/bin/ssh";
    request.spawn.argv = clients.ssh_argv(supervisor.port(), key, "ping", {"-o", "SetEnv=SECRET=1"});
    request.input = std::string(4 << 20, 'i');
    const auto result = os::run(request);
    REQUIRE(result.has_value());
    CHECK(result->output == "pong! - test\n");
}

TEST_CASE("every listening socket is served, with the host key that was announced") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    CHECK(clients.ssh(supervisor.port(0), key, "ping").output == "pong! - test\n");
    CHECK(clients.ssh(supervisor.port(1), key, "ping").output == "pong! - test\n");
    const auto known = run_program({"/usr/bin/ssh-keygen", "-lf", (clients.path() / "known_hosts").string()});
    CHECK(known.output.find(supervisor.fingerprint()) != std::string::npos);
}

TEST_CASE("only modern algorithms are on offer, and no compression") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    const auto result =
        clients.ssh(supervisor.port(), key, "ping", {"-o", "LogLevel=DEBUG2", "-o", "Compression=yes"});
    CHECK(code(result) == 0);
    const auto offer = result.errors.find("peer server KEXINIT proposal");
    REQUIRE(offer != std::string::npos);
    const auto said = [&](const std::string& name) {
        const auto from = result.errors.find("debug2: " + name + ": ", offer) + 8 + name.size() + 2;
        return std::string(trimmed(result.errors.substr(from, result.errors.find('\n', from) - from)));
    };
    CHECK(said("KEX algorithms") ==
          "curve25519-sha256,curve25519-sha256@libssh.org,kex-strict-s-v00@openssh.com");
    CHECK(said("host key algorithms") == "ssh-ed25519");
    CHECK(said("ciphers stoc") ==
          "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr");
    CHECK(said("compression ctos") == "none");
    CHECK(said("compression stoc") == "none");
    const auto types = result.errors.find("server-sig-algs=<");
    REQUIRE(types != std::string::npos);
    CHECK(result.errors.substr(types, result.errors.find('\n', types) - types).find("cert") ==
          std::string::npos);
    CHECK(result.errors.find("remote software version pgod") != std::string::npos);
}

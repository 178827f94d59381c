// The host key of an ssh upstream, against a real sshd that has an ed25519 and an ecdsa key.
#include "host.hpp"

#include "os/users.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

using namespace pgod;
namespace fs = std::filesystem;

namespace {

class Scene {
  public:
    Scene() {
        fs::create_directories(ssh_);
        test::run_tool({"/usr/bin/ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", ssh_ / "id_ed25519"});
        fs::copy_file(ssh_ / "id_ed25519.pub", directory_ / "authorized_keys");
        for (const auto* type : {"rsa", "ed25519"})
            test::run_tool({"/usr/bin/ssh-keygen", "-q", "-N", "", "-t", type, "-f", directory_ / type});
        host_.files.commit("first");
    }

    int port() const { return server_.port(); }
    const test::Host& host() const { return host_; }
    std::string name() const { return fmt::format("[127.0.0.1]:{}", port()); }
    // Of a key of the server, or of another one: rsa, ed25519.
    std::string key(const std::string& file) const { return test::slurp(directory_ / (file + ".pub")); }
    std::string fingerprint(const std::string& file) const {
        const auto line = test::run_tool({"/usr/bin/ssh-keygen", "-lf", directory_ / (file + ".pub")});
        return line.substr(line.find("SHA256:"), 50);
    }
    std::string sync_with(const std::string& known_hosts) {
        std::ofstream(ssh_ / "known_hosts") << known_hosts;
        host_.give_to_user(ssh_);
        return host_
            .sync(fmt::format("ssh://{}@127.0.0.1:{}{}", os::current_user().name, port(),
                              host_.files.upstream.string()))
            .error();
    }

  private:
    test::Host host_;
    fs::path directory_ = host_.files.root / "sshd";
    test::Server server_ = test::ssh_server(directory_);
    fs::path ssh_ = host_.home / ".ssh";
};

} // namespace

TEST_CASE_FIXTURE(Scene, "known_hosts of an upstream is read as ssh(1) reads it") {
    const auto ed25519 = key("host_key");
    const auto ecdsa = key("host_key_ecdsa");
    struct Row {
        const char* name;
        std::string lines;
        const char* says; // a part of the outcome
    };
    const Row rows[] = {
        {"the ed25519 key alone", name() + " " + ed25519, "ok"},
        {"the ecdsa key alone", name() + " " + ecdsa, "ok"},
        {"an rsa line first", name() + " " + key("rsa") + name() + " " + ed25519, "ok"},
        {"a pattern", "[127.0.0.*]:* " + ed25519, "ok"},
        {"a negated pattern", "*,!127.0.0.1,!" + name() + " " + ed25519, "is not in"},
        {"lines that are none",
         "rubbish\n" + name() + " ssh-ed25519 AAAA\n|1|x|y z\n" + name() + " " + ed25519, "ok"},
        {"another key beside it", name() + " " + key("ed25519") + name() + " " + ed25519, "ok"},
        {"without the port", "127.0.0.1 " + ed25519, "ok"},
        {"revoked", name() + " " + ed25519 + "@revoked * " + ed25519, "is revoked by"},
        {"another key", name() + " " + key("ed25519"), "has changed"},
        {"an authority", "@cert-authority * " + ed25519, "is not in"},
    };
    for (const auto& [row, lines, says] : rows) {
        CAPTURE(row);
        const auto outcome = sync_with(lines);
        CHECK_MESSAGE(outcome.find(says) != std::string::npos, outcome);
    }
}

TEST_CASE_FIXTURE(Scene, "hashed names of an upstream are found") {
    std::ofstream(host().files.root / "hashed") << name() << ' ' << key("host_key");
    test::run_tool({"/usr/bin/ssh-keygen", "-q", "-H", "-f", host().files.root / "hashed"});
    CHECK(sync_with(test::slurp(host().files.root / "hashed")) == "ok");
}

TEST_CASE_FIXTURE(Scene, "an unknown host key is refused with the command that adds it") {
    const auto outcome = sync_with("");
    INFO(outcome);
    CHECK(outcome.starts_with("denied: the ssh host key of ssh://"));
    CHECK(outcome.find(fingerprint("host_key")) != std::string::npos);
    CHECK(outcome.find(
              fmt::format("runuser -u {0} -- sh -c 'mkdir -p -m 700 {1}/.ssh && ssh-keyscan -t ed25519 -p "
                          "{2} 127.0.0.1 >> {1}/.ssh/known_hosts'",
                          host().user.name, host().home.string(), port())) != std::string::npos);
    // The command works.
    CHECK(sync_with(test::run_tool(
              {"/usr/bin/ssh-keyscan", "-t", "ed25519", "-p", std::to_string(port()), "127.0.0.1"})) == "ok");
}

TEST_CASE_FIXTURE(Scene, "a changed host key is a warning, and nobody is told to add it") {
    const auto outcome = sync_with(name() + " " + key("ed25519"));
    INFO(outcome);
    CHECK(outcome.starts_with("denied: the ssh host key of ssh://"));
    CHECK(outcome.find("Somebody may be in between: ask the administrator") != std::string::npos);
    CHECK(outcome.find(fingerprint("host_key")) != std::string::npos);
    CHECK(outcome.find("known_hosts:1") != std::string::npos);
    CHECK(outcome.find("ssh-keyscan") == std::string::npos);
}

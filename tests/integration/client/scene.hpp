// A real OpenSSH sshd on a loopback port, which runs operation.sh for the keys that it knows, and answers a
// "stranger" with the words of a refusal and 77, as a container can. And pgoctl itself.
#pragma once

#include "base/fd.hpp"
#include "os/run.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace pgod::test {

using Words = std::vector<std::string>;

class Scene {
  public:
    Scene();
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;
    ~Scene();

    std::string path(const std::string& name) const { return directory_ / name; }
    std::string home() const { return directory_ / "home"; }
    std::string text_of(const std::string& name) const;
    void write(const std::string& name, const std::string& text) const;

    // Private keys' paths. The server runs operations for `good` and `locked`, prints a refusal to
    // `stranger`, and does not know `wrong`. The passphrase of `locked` is "sesame".
    std::string good() const { return path("good"); }
    std::string stranger() const { return path("stranger"); }
    std::string wrong() const { return path("wrong"); }
    std::string locked() const { return path("locked"); }
    std::string make_key(const std::string& name, const Words& keygen = {"-t", "ed25519", "-N", ""}) const;
    void admit(const std::string& key) const;

    std::uint16_t port() const noexcept { return port_; }
    std::string fingerprint() const; // of the host key, SHA256:…
    void restart_with_new_host_key();

    // pgoctl with the scene's home, port and known_hosts; `env` comes on top.
    Words pgoctl_argv(const Words& args) const;
    Words environment(const Words& env = {}) const; // of pgoctl
    os::RunResult pgoctl(const Words& args, const Words& env = {}) const;
    // Left running; its stdin, stdout and stderr are the descriptors given, -1: /dev/null.
    os::Child start_pgoctl(const Words& args, int in, int out, int err, const Words& env = {}) const;
    void know_host() const; // the host key goes into known_hosts

    std::string start_agent(const Words& keys); // the socket; keys in this order

  private:
    void start_server();

    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    os::Child server_;
    os::Child agent_;
};

Fd listening(std::uint16_t& port); // a socket that listens on a free loopback port
std::uint16_t free_port();
os::RunResult run_program(const Words& argv, const Words& env = {});
int status_of(const os::RunResult& result);

// Waits, generously; throws when it never comes true.
template<typename Condition>
void wait_until(const Condition& condition);
void wait_a_moment(int& turns);

template<typename Condition>
void wait_until(const Condition& condition) {
    for (int turns = 0; !condition(); wait_a_moment(turns)) {
    }
}

} // namespace pgod::test

// Real SSH clients with keys of their own: OpenSSH's ssh, and Python's paramiko (hostile.py).
#pragma once

#include "fake_supervisor.hpp"
#include "os/run.hpp"

#include <string>
#include <vector>

namespace pgod::test {

class Clients {
  public:
    Clients();

    // The private key's path; PATH.pub is beside it. Made on first use.
    std::string key(const std::string& name, const std::vector<std::string>& keygen = {"-t", "ed25519"});

    // ssh -p PORT -i KEY [OPTIONS] someone@127.0.0.1 COMMAND; the host key is taken on trust.
    std::vector<std::string> ssh_argv(std::uint16_t port, const std::string& key, const std::string& command,
                                      const std::vector<std::string>& options = {}) const;
    os::RunResult ssh(std::uint16_t port, const std::string& key, const std::string& command,
                      const std::vector<std::string>& options = {}) const;
    os::RunResult ssh_with_input(std::uint16_t port, const std::string& key, const std::string& command,
                                 std::string input, const std::vector<std::string>& options = {}) const;
    // A client that is left running; its standard output is `output`, or dropped.
    os::Child start_ssh(std::uint16_t port, const std::string& key, const std::string& command,
                        int output = -1) const;

    std::vector<std::string> hostile_argv(const std::string& scenario, std::uint16_t port,
                                          const std::string& key) const;
    os::RunResult hostile(const std::string& scenario, std::uint16_t port, const std::string& key) const;

    const std::filesystem::path& path() const noexcept { return directory_.path(); }

  private:
    TemporaryDirectory directory_;
};

os::RunResult run_program(const std::vector<std::string>& argv, const std::vector<std::string>& env = {});
int code(const os::RunResult& result); // its exit status, as a shell has it

// A supervisor that knows one key, and clients that hold it.
struct Scene {
    FakeSupervisor supervisor;
    Clients clients;
    std::string key = clients.key("mine");
    Scene() { supervisor.know(key + ".pub"); }
    std::uint16_t port() const { return supervisor.port(); }
};

// VmHWM of a process in bytes: the most that it ever had resident.
std::size_t peak_memory(pid_t pid);

} // namespace pgod::test

#include "clients.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace pgod::test {

namespace {

using namespace std::chrono_literals;

const std::vector<std::string> environment{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"};

os::SpawnRequest request_of(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
    os::SpawnRequest request;
    request.program = argv.at(0);
    request.argv = argv;
    request.env = environment;
    request.env.insert(request.env.end(), env.begin(), env.end());
    request.die_with_parent = true;
    return request;
}

os::RunResult finished(os::SpawnRequest spawn, std::string input = {}) {
    os::RunRequest request;
    request.spawn = std::move(spawn);
    request.input = std::move(input);
    request.deadline = 120s;
    request.max_output = 256 << 20;
    auto result = os::run(request);
    if (!result)
        throw std::runtime_error(result.error().message);
    return std::move(*result);
}

} // namespace

os::RunResult run_program(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
    return finished(request_of(argv, env));
}

int code(const os::RunResult& result) {
    return os::exit_code_of(result.wait_status);
}

Clients::Clients() {
    for (const char* program : {"/usr/bin/ssh", "/usr/bin/ssh-keygen"}) {
        if (!std::filesystem::exists(program))
            throw std::runtime_error(fmt::format("{} is missing: apt-get install openssh-client", program));
    }
}

std::string Clients::key(const std::string& name, const std::vector<std::string>& keygen) {
    const std::string file = directory_.path() / name;
    if (std::filesystem::exists(file))
        return file;
    std::vector<std::string> argv{"/usr/bin/ssh-keygen", "-q", "-N", "", "-C", name, "-f", file};
    argv.insert(argv.end(), keygen.begin(), keygen.end());
    if (const auto made = run_program(argv); !made.succeeded())
        throw std::runtime_error(made.errors);
    return file;
}

std::vector<std::string> Clients::ssh_argv(std::uint16_t port, const std::string& key,
                                           const std::string& command,
                                           const std::vector<std::string>& options) const {
    std::vector<std::string> argv{"/usr/bin/ssh", "-F", "/dev/null", "-p", std::to_string(port)};
    argv.insert(argv.end(), options.begin(), options.end()); // first: of two the first counts
    if (!key.empty())
        argv.insert(argv.end(), {"-i", key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"});
    for (const char* option : {"StrictHostKeyChecking=no", "GlobalKnownHostsFile=/dev/null", "BatchMode=yes",
                               "LogLevel=ERROR", "ConnectTimeout=60"})
        argv.insert(argv.end(), {"-o", option});
    argv.insert(argv.end(), {"-o", fmt::format("UserKnownHostsFile={}", (path() / "known_hosts").string())});
    argv.emplace_back("someone@127.0.0.1");
    if (!command.empty())
        argv.push_back(command);
    return argv;
}

os::RunResult Clients::ssh(std::uint16_t port, const std::string& key, const std::string& command,
                           const std::vector<std::string>& options) const {
    return run_program(ssh_argv(port, key, command, options));
}

os::RunResult Clients::ssh_with_input(std::uint16_t port, const std::string& key, const std::string& command,
                                      std::string input, const std::vector<std::string>& options) const {
    return finished(request_of(ssh_argv(port, key, command, options), {}), std::move(input));
}

os::Child Clients::start_ssh(std::uint16_t port, const std::string& key, const std::string& command,
                             int output) const {
    auto request = request_of(ssh_argv(port, key, command), {});
    if (output >= 0)
        request.descriptors = {{output, 1}};
    auto child = os::spawn(request);
    if (!child)
        throw std::runtime_error(child.error().message);
    return std::move(*child);
}

std::vector<std::string> Clients::hostile_argv(const std::string& scenario, std::uint16_t port,
                                               const std::string& key) const {
    return {"/usr/bin/python3", HOSTILE_PY, scenario, std::to_string(port), key};
}

os::RunResult Clients::hostile(const std::string& scenario, std::uint16_t port,
                               const std::string& key) const {
    return run_program(hostile_argv(scenario, port, key));
}

std::size_t peak_memory(pid_t pid) {
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:"))
            return std::stoul(line.substr(6)) * 1024;
    }
    throw std::runtime_error("the process is gone");
}

} // namespace pgod::test

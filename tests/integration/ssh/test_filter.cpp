// The filter of system calls, in the real process: what a captured child of pgod-ssh would try is made to
// happen in one, by ptrace(2). Needs root, and a processor whose registers are known here.
#include "clients.hpp"

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <optional>

using namespace pgod;
using namespace pgod::test;

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

namespace {

using Arguments = std::array<unsigned long long, 4>;

bool waits(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/syscall", pid));
    long number = -1;
    return static_cast<bool>(file >> number) && (number == SYS_poll || number == SYS_restart_syscall);
}

// Whoever is not let go of cannot be reaped by its parent either.
class Traced {
  public:
    explicit Traced(pid_t pid)
        : pid_(pid) {
        REQUIRE(::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) == 0);
    }
    Traced(const Traced&) = delete;
    Traced& operator=(const Traced&) = delete;
    ~Traced() { (void)::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr); }

  private:
    pid_t pid_;
};

// Makes `pid`, which waits in a system call, make this one. Its result, a negative errno among them; nullopt:
// it was killed by SIGSYS.
std::optional<long long> call_in(pid_t pid, long number, const Arguments& arguments) {
    REQUIRE(eventually([pid] { return waits(pid); }));
    const Traced traced(pid);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, __WALL) == pid);
    user_regs_struct before{};
    REQUIRE(::ptrace(PTRACE_GETREGS, pid, nullptr, &before) == 0);
    constexpr long syscall_instruction = 0x050f;
    auto call = before;
    call.rip -= 2;
    REQUIRE((::ptrace(PTRACE_PEEKTEXT, pid, call.rip, nullptr) & 0xffff) == syscall_instruction);
    call.rax = static_cast<unsigned long long>(number);
    call.orig_rax = ~0ULL; // not to be restarted
    call.rdi = arguments[0];
    call.rsi = arguments[1];
    call.rdx = arguments[2];
    call.r10 = arguments[3];
    REQUIRE(::ptrace(PTRACE_SETREGS, pid, nullptr, &call) == 0);
    REQUIRE(::ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr) == 0);
    REQUIRE(::waitpid(pid, &status, __WALL) == pid);
    if (WIFSIGNALED(status)) {
        CHECK(WTERMSIG(status) == SIGSYS);
        return std::nullopt;
    }
    REQUIRE(WIFSTOPPED(status));
    user_regs_struct after{};
    REQUIRE(::ptrace(PTRACE_GETREGS, pid, nullptr, &after) == 0);
    REQUIRE(::ptrace(PTRACE_SETREGS, pid, nullptr, &before) == 0);
    return static_cast<long long>(after.rax);
}

struct Call {
    const char* name;
    long number;
    Arguments arguments;
};

std::string seccomp_of(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/status", pid));
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Seccomp:"))
            return line.substr(line.find('\t') + 1);
    }
    return "missing";
}

constexpr unsigned long long no_address = 0;

} // namespace

TEST_CASE("what a connection does not need is refused to its process") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    const auto client = clients.start_ssh(supervisor.port(), key, "hang");
    REQUIRE(eventually([&] { return supervisor.runs().size() == 1; }));
    REQUIRE(eventually([&] { return supervisor.children().size() == 1; }));
    const pid_t child = supervisor.children().front();
    CHECK(seccomp_of(child) == "2");
    CHECK(eventually([&] { return seccomp_of(supervisor.spare()) == "2"; }));
    CHECK(call_in(child, SYS_getpid, {}) == child); // what is allowed works, and so does this test
    constexpr auto write_and_run = static_cast<unsigned long long>(PROT_READ | PROT_WRITE | PROT_EXEC);
    constexpr auto here = static_cast<unsigned long long>(AT_FDCWD);
    for (const auto& [name, number, arguments] : std::vector<Call>{
             {"open a file for writing", SYS_openat, {here, no_address, O_WRONLY | O_CREAT, 0600}},
             {"open a file for reading", SYS_openat, {here, no_address, O_RDONLY}},
             {"open", SYS_open, {no_address, O_RDWR}},
             {"unlink", SYS_unlink, {no_address}},
             {"memory to write and run", SYS_mmap, {0, 4096, write_and_run, MAP_PRIVATE | MAP_ANONYMOUS}},
             {"to make memory run", SYS_mprotect, {0, 4096, PROT_EXEC}},
             {"to type into a terminal", SYS_ioctl, {0, TIOCSTI, no_address}},
             {"another option of the socket", SYS_setsockopt, {3, SOL_SOCKET, SO_DEBUG, no_address}},
             {"accept", SYS_accept4, {3, 0, 0, 0}},
             {"a pair of sockets", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, no_address}},
             {"a namespace", SYS_unshare, {CLONE_NEWUSER}},
             {"mount", SYS_mount, {no_address, no_address, no_address, 0}},
             {"bpf", SYS_bpf, {0, no_address, 0}},
             {"keys of the kernel", SYS_keyctl, {0, 0}},
             {"another user", SYS_setuid, {0}},
             {"io_uring", SYS_io_uring_setup, {1, no_address}},
             {"a file in memory", SYS_memfd_create, {no_address, 0}},
         }) {
        CAPTURE(name);
        CHECK(call_in(child, number, arguments) == -EPERM);
    }
    CHECK(supervisor.children().size() == 1); // nothing of it has ended the connection
}

TEST_CASE("what only an attacker would call ends the process, and no other") {
    FakeSupervisor supervisor;
    Clients clients;
    const auto key = clients.key("mine");
    supervisor.know(key + ".pub");
    const auto other = clients.start_ssh(supervisor.port(), key, "hang");
    REQUIRE(eventually([&] { return supervisor.runs().size() == 1 && supervisor.children().size() == 1; }));
    const pid_t kept = supervisor.children().front();
    const auto listener = static_cast<unsigned long long>(supervisor.pid());
    for (const auto& [name, number, arguments] : std::vector<Call>{
             {"another program", SYS_execve, {no_address, no_address, no_address}},
             {"another program, by descriptor", SYS_execveat, {0, no_address, no_address, no_address}},
             {"a process", SYS_fork, {}},
             {"a thread", SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}},
             {"a socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
             {"a connection", SYS_connect, {3, no_address, 16}},
             {"to trace the listener", SYS_ptrace, {PTRACE_ATTACH, listener, 0, 0}},
             {"to read the listener", SYS_process_vm_readv, {listener, no_address, 0, no_address}},
             {"to end the listener", SYS_kill, {listener, SIGKILL}},
         }) {
        CAPTURE(name);
        const auto runs = supervisor.runs().size();
        const auto client = clients.start_ssh(supervisor.port(), key, "hang");
        REQUIRE(
            eventually([&] { return supervisor.runs().size() > runs && supervisor.children().size() == 2; }));
        const auto children = supervisor.children();
        CHECK(call_in(children[0] == kept ? children[1] : children[0], number, arguments) == std::nullopt);
        CHECK(eventually([&] { return supervisor.children() == std::vector<pid_t>{kept}; }));
    }
    CHECK(!supervisor.ended());
    CHECK(clients.ssh(supervisor.port(), key, "ping").wait_status == 0);
}

#endif

int main(int argc, char** argv) {
    if (::geteuid() != 0) {
        std::puts("skipped: needs root");
        return 77;
    }
    return doctest::Context(argc, argv).run();
}

#include "jail/network.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "jail/pipe.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <net/route.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace pgod::jail {

namespace {

constexpr const char* slirp = "/usr/bin/slirp4netns";
constexpr const char* pasta = "/usr/bin/pasta";
constexpr int start_patience = 30'000;    // ms
constexpr int ready_descriptor = 3;       // in slirp4netns
constexpr std::size_t max_problem = 4096; // bytes of what pasta says
constexpr int not_started = 127;

// With the options that podman gives it. It writes to `ready_descriptor` once the network is up.
std::vector<std::string> slirp_call(const std::string& network) {
    return {"slirp4netns",
            "--enable-sandbox",
            "--configure",
            "--mtu=65520",
            "--enable-seccomp",
            "--disable-host-loopback",
            fmt::format("--ready-fd={}", ready_descriptor),
            "--netns-type=path",
            network,
            "tap0"};
}

// The addresses are those of slirp4netns, so view.cpp names one resolver. No port is forwarded either way,
// and no address means the host's loopback: one that is too old to know that option, as Debian 12's, would
// reach it, and does not start. It goes into the background once the network is up.
std::vector<std::string> pasta_call(const std::string& network) {
    return {"pasta",
            "--quiet",
            "--config-net",
            "--ipv4-only",
            "--ns-ifname=tap0",
            "--address=10.0.2.100",
            "--netmask=24",
            "--gateway=10.0.2.2",
            "--dns-forward=10.0.2.3",
            "--map-host-loopback=none",
            "--no-dhcp",
            "--tcp-ports=none",
            "--udp-ports=none",
            "--tcp-ns=none",
            "--udp-ns=none",
            "--no-netns-quit",
            "--netns=" + network};
}

// The parent keeps the other end open for as long as it lives: it may have ended before this call.
bool dies_with_parent(Pipe& ready) {
    ready.read_end.reset();
    pollfd parent{ready.write_end.get(), 0, 0};
    return ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && ::poll(&parent, 1, 0) == 0;
}

// stderr: a descriptor, or -1. `argv` was made before the fork.
[[noreturn]] void become(const char* program, const std::vector<char*>& argv, int errors, int ready) {
    const std::array<char*, 1> env{nullptr};
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && ::dup2(null, STDIN_FILENO) == 0 && ::dup2(null, STDOUT_FILENO) == 1 &&
        ::dup2(errors < 0 ? null : errors, STDERR_FILENO) == 2 &&
        (ready < 0 ||
         (ready == ready_descriptor ? ::fcntl(ready, F_SETFD, 0) : ::dup2(ready, ready_descriptor)) >= 0))
        ::execve(program, argv.data(), env.data());
    ::_exit(not_started);
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (auto& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

// pasta leaves the process that started it, so it gets a process namespace of its own: the end of its first
// process, which is this one, ends pasta.
[[noreturn]] void keep_pasta(const std::vector<char*>& argv, Pipe& ready, Pipe& errors) {
    errors.read_end.reset();
    if (!dies_with_parent(ready))
        ::_exit(not_started);
    const pid_t starting = ::fork();
    if (starting == 0)
        become(pasta, argv, errors.write_end.get(), -1);
    errors.write_end.reset();
    for (;;) {
        int wait_status = 0;
        const pid_t ended = ::waitpid(-1, &wait_status, 0);
        if (ended < 0 && errno == EINTR)
            continue;
        if (ended < 0 || (ended == starting && wait_status != 0))
            ::_exit(not_started);
        if (ended == starting && ::write(ready.write_end.get(), "r", 1) != 1)
            ::_exit(not_started); // whoever waits for it is gone
    }
}

bool comes_up(const Fd& ready) {
    pollfd told{ready.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&told, 1, start_patience) == 1 && ::read(ready.get(), &byte, 1) == 1;
}

Error did_not_start(pid_t process, const char* name, const std::string& problem) {
    (void)::kill(process, SIGKILL);
    (void)::waitpid(process, nullptr, 0);
    return {
        Code::transient,
        fmt::format("{} did not bring up the network of the build{}{}; is /dev/net/tun open to every user?",
                    name, problem.empty() ? "" : ": ", problem)};
}

Result<pid_t> start_slirp(const std::string& network) {
    auto words = slirp_call(network);
    const auto argv = pointers_to(words);
    Pipe ready = TRY(make_pipe());
    const pid_t process = ::fork();
    if (process == 0) {
        if (dies_with_parent(ready))
            become(slirp, argv, -1, ready.write_end.get());
        ::_exit(not_started);
    }
    if (process < 0)
        return errno_error("fork");
    ready.write_end.reset();
    if (!comes_up(ready.read_end))
        return did_not_start(process, "slirp4netns", {});
    return process;
}

Result<pid_t> start_pasta(const std::string& network) {
    auto words = pasta_call(network);
    const auto argv = pointers_to(words);
    Pipe ready = TRY(make_pipe());
    Pipe errors = TRY(make_pipe());
    const auto process =
        static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, 0UL));
    if (process == 0)
        keep_pasta(argv, ready, errors);
    if (process < 0)
        return errno_error("make a process namespace for pasta");
    ready.write_end.reset();
    errors.write_end.reset();
    if (comes_up(ready.read_end))
        return process;
    std::string said(max_problem, '\0');
    pollfd waiting{errors.read_end.get(), POLLIN, 0};
    const ssize_t size =
        ::poll(&waiting, 1, 0) == 1 ? ::read(errors.read_end.get(), said.data(), said.size()) : 0;
    said.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return did_not_start(process, "pasta", shortened(escaped(trimmed(split(said, '\n').front())), 300));
}

} // namespace

Result<pid_t> start_network(pid_t pid) {
    const std::string network = fmt::format("/proc/{}/ns/net", pid);
    if (::access(slirp, X_OK) == 0)
        return start_slirp(network);
    if (::access(pasta, X_OK) == 0)
        return start_pasta(network);
    return Error{Code::transient,
                 "a build needs pasta or slirp4netns for its network, and neither is installed; "
                 "install the package passt or slirp4netns"};
}

namespace {

// From what this process holds as well: root of the jail may trace it.
Status drop_network_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held{};
    if (::syscall(SYS_capget, &header, held.data()) != 0)
        return errno_error("look at the capabilities of the build");
    for (const unsigned capability : {CAP_NET_ADMIN, CAP_NET_RAW}) {
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return errno_error("drop a capability");
        for (auto* set : {&held[0].effective, &held[0].permitted, &held[0].inheritable})
            *set &= ~(1U << capability); // both are below 32
    }
    if (::syscall(SYS_capset, &header, held.data()) != 0)
        return errno_error("drop the capabilities of the build");
    return ok();
}

} // namespace

Status keep_from_the_hosts_loopback() {
    rtentry route{};
    const auto set = [](sockaddr& to, std::uint32_t address) {
        sockaddr_in inet{};
        inet.sin_family = AF_INET;
        inet.sin_addr.s_addr = htonl(address);
        std::memcpy(&to, &inet, sizeof inet);
    };
    set(route.rt_dst, 0x7f000000);
    set(route.rt_genmask, 0xff000000);
    route.rt_flags = RTF_UP | RTF_REJECT;
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket || ::ioctl(socket.get(), SIOCADDRT, &route) != 0)
        return errno_error("close the way to the host's loopback");
    return drop_network_capabilities();
}

} // namespace pgod::jail

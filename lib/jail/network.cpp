#include "jail/network.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace pgod::jail {

namespace {

constexpr const char* program = "/usr/bin/slirp4netns";
constexpr int start_patience = 30'000; // ms
constexpr int ready_descriptor = 3;    // in slirp4netns

// With the options that podman gives it.
[[noreturn]] void become_slirp(const std::string& network, int ready) {
    const std::string ready_text = "--ready-fd=" + std::to_string(ready_descriptor);
    const std::array<const char*, 11> argv{"slirp4netns",
                                           "--enable-sandbox",
                                           "--configure",
                                           "--mtu=65520",
                                           "--enable-seccomp",
                                           "--disable-host-loopback",
                                           ready_text.c_str(),
                                           "--netns-type=path",
                                           network.c_str(),
                                           "tap0",
                                           nullptr};
    const std::array<const char*, 1> env{nullptr};
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && null >= 0 && ::dup2(null, STDIN_FILENO) == 0 &&
        ::dup2(null, STDOUT_FILENO) == 1 && ::dup2(null, STDERR_FILENO) == 2 &&
        (ready == ready_descriptor ? ::fcntl(ready, F_SETFD, 0) : ::dup2(ready, ready_descriptor)) >= 0)
        ::execve(program, const_cast<char* const*>(argv.data()), const_cast<char* const*>(env.data()));
    ::_exit(127);
}

} // namespace

Result<pid_t> start_network(pid_t pid) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    const Fd ready(ends[0]);
    Fd theirs(ends[1]);
    const std::string network = "/proc/" + std::to_string(pid) + "/ns/net";
    const pid_t slirp = ::fork();
    if (slirp == 0)
        become_slirp(network, theirs.get());
    if (slirp < 0)
        return errno_error("fork");
    theirs.reset();
    pollfd told{ready.get(), POLLIN, 0};
    char byte = 0;
    if (::poll(&told, 1, start_patience) != 1 || ::read(ready.get(), &byte, 1) != 1)
        return Error{Code::transient, "slirp4netns did not bring up the network of the build; is the package "
                                      "slirp4netns installed, and /dev/net/tun open to every user?"};
    return slirp;
}

} // namespace pgod::jail

#include "daemon/ssh_filter.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>

namespace pgod::daemon {

namespace {

// Not sendmsg(2): what takes over such a process must not send descriptors to the supervisor.
constexpr std::array allowed{
    // the client, the supervisor, the operation's pipes and terminal
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(getsockopt),
    // memory, time, random numbers
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    // itself, and its end
    SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

constexpr std::uint64_t whole = ~std::uint64_t{0} >> 32U; // commands are of 32 bits

constexpr std::array narrowed{
    only_with(SCMP_SYS(fcntl), 1, whole, F_GETFL),           only_with(SCMP_SYS(fcntl), 1, whole, F_SETFL),
    only_with(SCMP_SYS(fcntl), 1, whole, F_DUPFD_CLOEXEC),   only_with(SCMP_SYS(ioctl), 1, whole, FIONREAD),
    only_with(SCMP_SYS(ioctl), 1, whole, TIOCSWINSZ), // not TIOCSTI, which types into a terminal
    only_with(SCMP_SYS(setsockopt), 2, whole, TCP_QUICKACK), only_with(SCMP_SYS(mmap), 2, PROT_EXEC, 0),
    only_with(SCMP_SYS(mprotect), 2, PROT_EXEC, 0),
};

} // namespace

Result<CallFilter> compile_ssh_filter() {
    return CallFilter::compile(allowed, narrowed);
}

} // namespace pgod::daemon

#include "daemon/ssh_filter.hpp"

#include "base/fd.hpp"
#include "base/handle.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace pgod::daemon {

namespace {

constexpr std::array allowed{
    // the client, the supervisor, the operation's pipes and terminal
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(close),
    SCMP_SYS(getsockopt),
    // memory, time, random numbers
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    // itself, and its end
    SCMP_SYS(getpid), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

constexpr std::array fatal{SCMP_SYS(execve),
                           SCMP_SYS(execveat),
                           SCMP_SYS(fork),
                           SCMP_SYS(vfork),
                           SCMP_SYS(clone),
                           SCMP_SYS(clone3),
                           SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(socket),
                           SCMP_SYS(connect),
                           SCMP_SYS(kill),
                           SCMP_SYS(pidfd_open),
                           SCMP_SYS(pidfd_send_signal),
                           SCMP_SYS(pidfd_getfd)};

// A call that is allowed when one of its arguments, masked, is as given.
struct Narrowed {
    int call;
    scmp_arg_cmp argument;
};
constexpr std::uint64_t whole = ~std::uint64_t{0} >> 32U; // commands are of 32 bits

constexpr Narrowed with(int call, unsigned index, std::uint64_t mask, std::uint64_t value) {
    return {call, {index, SCMP_CMP_MASKED_EQ, mask, value}};
}

constexpr std::array narrowed{
    with(SCMP_SYS(fcntl), 1, whole, F_GETFL),           with(SCMP_SYS(fcntl), 1, whole, F_SETFL),
    with(SCMP_SYS(fcntl), 1, whole, F_DUPFD_CLOEXEC),   with(SCMP_SYS(ioctl), 1, whole, FIONREAD),
    with(SCMP_SYS(ioctl), 1, whole, TIOCSWINSZ), // not TIOCSTI, which types into a terminal
    with(SCMP_SYS(setsockopt), 2, whole, TCP_QUICKACK), with(SCMP_SYS(mmap), 2, PROT_EXEC, 0),
    with(SCMP_SYS(mprotect), 2, PROT_EXEC, 0),
};

Error failed(int negative_errno) {
    return Error{Code::internal, fmt::format("make the filter of system calls: {}",
                                             std::generic_category().message(-negative_errno))};
}

Status fill(scmp_filter_ctx filter) {
    if (const int failure = ::seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS))
        return failed(failure);
    // A tree instead of a list: it is entered in two thirds of the time.
    if (const int failure = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2))
        return failed(failure);
    for (const int call : allowed) {
        if (const int failure = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0))
            return failed(failure);
    }
    for (const int call : fatal) {
        if (const int failure = ::seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0))
            return failed(failure);
    }
    for (const auto& [call, argument] : narrowed) {
        if (const int failure = ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &argument))
            return failed(failure);
    }
    return ok();
}

} // namespace

Result<SshFilter> SshFilter::compile() {
    const Handle<void, ::seccomp_release> filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter)
        return failed(-ENOMEM);
    TRY(fill(filter.get()));
    const Fd file(::memfd_create("pgod-ssh-filter", MFD_CLOEXEC));
    if (!file)
        return errno_error("make the filter of system calls");
    if (const int failure = ::seccomp_export_bpf(filter.get(), file.get()))
        return failed(failure);
    const auto size = ::lseek(file.get(), 0, SEEK_END);
    SshFilter compiled;
    compiled.program_.resize(static_cast<std::size_t>(size) / sizeof(sock_filter));
    if (size <= 0 || ::pread(file.get(), compiled.program_.data(), static_cast<std::size_t>(size), 0) != size)
        return errno_error("read the filter of system calls");
    return compiled;
}

Status SshFilter::enter() const {
    const sock_fprog program{static_cast<unsigned short>(program_.size()),
                             const_cast<sock_filter*>(program_.data())};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return errno_error("enter the filter of system calls (seccomp), which this kernel must allow");
    return ok();
}

} // namespace pgod::daemon

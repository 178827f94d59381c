#include "daemon/metrics_filter.hpp"

#include <seccomp.h>
#include <sys/mman.h>

#include <array>

namespace pgod::daemon {

namespace {

constexpr std::array allowed{
    // clients, the supervisor, the log
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(accept4), SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(shutdown), SCMP_SYS(close),
    // memory, time
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    // its end
    SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

constexpr std::array narrowed{
    only_with(SCMP_SYS(mmap), 2, PROT_EXEC, 0),
    only_with(SCMP_SYS(mprotect), 2, PROT_EXEC, 0),
};

} // namespace

Result<CallFilter> compile_metrics_filter() {
    return CallFilter::compile(allowed, narrowed);
}

} // namespace pgod::daemon

#include "daemon/relay_role.hpp"

#include "core/exit_status.hpp"
#include "daemon/call_filter.hpp"
#include "daemon/confinement.hpp"
#include "daemon/relay_child.hpp"
#include "ipc/control_messages.hpp"
#include "os/channel_descriptors.hpp"
#include "os/log.hpp"
#include "os/pipe.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace pgod::daemon {

namespace {

// By it the kernel also bounds the descriptors that are under way to all the users together (unix(7)): three
// to each who has not read them yet. They are counted to user pgod: what is allowed here has to leave room
// for those of pgod-ssh (ssh_role.cpp).
constexpr rlim_t max_descriptors = 512;
constexpr std::size_t most_children =
    160;                              // the supervisor admits 128 users; the others hear that they are not
constexpr int pause_when_short = 100; // milliseconds: of processes or descriptors
constexpr int soon = 50;              // milliseconds: until one that ends has ended
[[maybe_unused]] constexpr rlim_t child_memory = 96 << 20; // of address space

// Of a child: what passing frames on takes (call_filter.hpp).
constexpr std::array allowed{
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
    SCMP_SYS(sendmsg), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(shutdown), SCMP_SYS(close),
    // memory, time, its deadline, its end
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(setitimer), SCMP_SYS(restart_syscall),
    SCMP_SYS(exit), SCMP_SYS(exit_group)};
constexpr std::array narrowed{only_with(SCMP_SYS(mmap), 2, PROT_EXEC, 0),
                              only_with(SCMP_SYS(ioctl), 1, ~0U, SIOCOUTQ)};

class Relay {
  public:
    Relay(os::LowerEnd control, CallFilter filter)
        : control_(std::move(control))
        , filter_(std::move(filter)) {}

    // Until the supervisor closes its line. Children that serve are left: each ends with its own line.
    Status run();

  private:
    struct Child {
        pid_t pid;
        Fd notice;          // a byte: it has taken a connection; the end: it ends
        bool taken = false; // until then the next one is not forked
    };

    Status fork_child();
    [[noreturn]] void become_child(Fd notice) noexcept;
    void read_notice(Child& child) noexcept;
    void reap() noexcept;
    bool may_fork() const noexcept;

    os::LowerEnd control_; // nothing is sent up; the supervisor sees the end of the process there
    CallFilter filter_;
    std::vector<Child> children_;
    std::vector<pollfd> polled_;
};

bool Relay::may_fork() const noexcept {
    return children_.size() < most_children &&
           std::all_of(children_.begin(), children_.end(), [](const Child& child) { return child.taken; });
}

Status Relay::run() {
    while (true) {
        polled_.assign(1, {control_.down.fd(), static_cast<short>(may_fork() ? POLLIN : 0), 0});
        bool one_ends = false;
        for (const Child& child : children_) {
            polled_.push_back({child.notice.get(), POLLIN, 0});
            one_ends = one_ends || !child.notice;
        }
        if (::poll(polled_.data(), polled_.size(), one_ends ? soon : -1) < 0 && errno != EINTR)
            return errno_error("poll");
        for (std::size_t i = 0; i < children_.size(); ++i)
            if (polled_[1 + i].revents != 0)
                read_notice(children_[i]);
        reap();
        if ((polled_[0].revents & POLLIN) == 0 && polled_[0].revents != 0)
            return ok();
        if ((polled_[0].revents & POLLIN) == 0)
            continue;
        char byte = 0; // which is also readable at the end
        if (::recv(control_.down.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            return ok();
        if (auto forked = fork_child(); !forked) {
            os::log_error("{}", forked.error().message);
            (void)::poll(nullptr, 0, pause_when_short);
        }
    }
}

void Relay::read_notice(Child& child) noexcept {
    char byte = 0;
    const ssize_t got = ::read(child.notice.get(), &byte, 1);
    if (got < 0 && errno == EINTR)
        return;
    if (got != 1 && !child.taken) // the next one will hardly fare better at once
        (void)::poll(nullptr, 0, pause_when_short);
    child.taken = true;
    if (got == 1)
        return;
    child.notice.reset();
    (void)::kill(child.pid, SIGKILL);
}

// Never waits: the end of a process closes what it held.
void Relay::reap() noexcept {
    std::erase_if(children_, [](const Child& child) {
        int wait_status = 0;
        if (child.notice || ::waitpid(child.pid, &wait_status, WNOHANG) != child.pid)
            return false;
        if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS)
            os::log_error(
                "the process of a local user was ended because it made a system call that none of its "
                "code makes: somebody may have taken it over; the kernel's log names the call");
        return true;
    });
}

Status Relay::fork_child() {
    os::Pipe notice = TRY(os::make_pipe());
    const pid_t pid = ::fork();
    if (pid == 0)
        become_child(std::move(notice.write_end));
    if (pid < 0)
        return errno_error("fork");
    children_.push_back({pid, std::move(notice.read_end)});
    return ok();
}

void Relay::become_child(Fd notice) noexcept {
    control_.up.close(); // its number is soon another descriptor's
    close_all_but({control_.down.fd(), notice.get(), notice.get()});
    (void)::signal(SIGTERM, SIG_IGN); // the supervisor's last words are still to be handed on
    lower_limit(RLIMIT_NPROC, 0);
#if !defined(__SANITIZE_ADDRESS__)
    lower_limit(RLIMIT_AS, child_memory);
    if (auto entered = filter_.enter(); !entered) {
        os::log_error("{}", entered.error().message);
        ::_exit(exit_status::internal);
    }
#endif
    auto guest = os::try_receive_with_descriptors(control_.down);
    if (!guest || !*guest || (*guest)->fds.size() != 3 || !ipc::decode<ipc::RelayControl>((*guest)->bytes))
        ::_exit(exit_status::done);
    control_.close();
    if (::write(notice.get(), "", 1) != 1)
        ::_exit(exit_status::internal);
    auto& fds = (*guest)->fds;
    relay_connection(os::Channel(std::move(fds[0])),
                     {os::Channel(std::move(fds[1])), os::FrameWriter(std::move(fds[2]))});
}

Status serve(const RunAs& as) {
    (void)::signal(SIGPIPE, SIG_IGN);
    os::LowerEnd control = TRY(take_line("pgod-relay"));
    TRY(confine({as.user, as.empty_directory, "pgod-relay", max_descriptors}));
    return Relay(std::move(control), TRY(CallFilter::compile(allowed, narrowed))).run();
}

} // namespace

int run_relay_role(const RunAs& as) {
    return run_role("pgod-relay", false, [&as] { return serve(as); });
}

} // namespace pgod::daemon

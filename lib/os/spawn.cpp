#include "os/spawn.hpp"

#include "os/drop.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace pgod::os {

namespace {

// Everything the child needs between fork and exec, made before the fork: only plain data and system calls
// are allowed there.
struct ChildPlan {
    const char* program;
    char* const* argv;
    char* const* env;
    const char* directory;
    const Identity* become;
    const SpawnRequest::Descriptor* descriptors;
    std::size_t descriptor_count;
    const ResourceLimit* limits;
    std::size_t limit_count;
    bool no_new_privileges;
    bool die_with_parent;
    mode_t umask_value;
    int error_pipe;
    int scratch; // descriptors from here on are free for moving ours out of the way
    pid_t parent;
};

struct StepFailure {
    int error_number;
    char step[32];
};

[[noreturn]] void fail_child(const ChildPlan& plan, const char* step) noexcept {
    StepFailure failure{errno, {}};
    std::strncpy(failure.step, step, sizeof failure.step - 1);
    (void)!::write(plan.error_pipe, &failure, sizeof failure);
    ::_exit(127);
}

// Moves every given descriptor above all targets first, so that no dup2 overwrites a source.
void place_descriptors(const ChildPlan& plan) noexcept {
    int next = plan.scratch;
    for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
        if (::dup3(plan.descriptors[i].from, next + static_cast<int>(i), O_CLOEXEC) < 0)
            fail_child(plan, "duplicate a descriptor");
    }
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        fail_child(plan, "open /dev/null");
    for (int standard = 0; standard <= 2; ++standard) {
        if (::dup2(null, standard) < 0)
            fail_child(plan, "set a standard descriptor");
    }
    for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
        if (::dup2(next + static_cast<int>(i), plan.descriptors[i].to) < 0)
            fail_child(plan, "place a descriptor");
    }
}

// Belt and braces: everything of ours is close-on-exec already.
void close_the_rest(const ChildPlan& plan) noexcept {
    unsigned highest = 2;
    for (std::size_t i = 0; i < plan.descriptor_count; ++i)
        highest = std::max(highest, static_cast<unsigned>(plan.descriptors[i].to));
    (void)::syscall(SYS_close_range, highest + 1, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
}

[[noreturn]] void run_child(const ChildPlan& plan) noexcept {
    for (int number = 1; number < NSIG; ++number)
        (void)::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::setsid() < 0)
        fail_child(plan, "start a session");
    place_descriptors(plan);
    for (std::size_t i = 0; i < plan.limit_count; ++i) {
        const rlimit limit{plan.limits[i].value, plan.limits[i].value};
        if (::setrlimit(static_cast<__rlimit_resource>(plan.limits[i].resource), &limit) != 0)
            fail_child(plan, "set a resource limit");
    }
    if (plan.become != nullptr) {
        const char* step = drop_privileges(plan.become->uid, plan.become->gid, plan.become->groups.data(),
                                           plan.become->groups.size());
        if (step != nullptr)
            fail_child(plan, step);
    }
    ::umask(plan.umask_value);
    if (plan.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail_child(plan, "set no_new_privs");
    // After the drop: the kernel clears it when the ids change (prctl(2)).
    if (plan.die_with_parent &&
        (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || ::getppid() != plan.parent))
        fail_child(plan, "tie the child to its parent");
    if (::chdir(plan.directory) != 0)
        fail_child(plan, "enter the directory");
    close_the_rest(plan);
    ::execve(plan.program, plan.argv, plan.env);
    fail_child(plan, "execute");
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (const auto& text : texts)
        list.push_back(const_cast<char*>(text.c_str()));
    list.push_back(nullptr);
    return list;
}

Result<Fd> open_pidfd(pid_t pid) {
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd)
        return errno_error("pidfd_open");
    (void)::fcntl(pidfd.get(), F_SETFD, FD_CLOEXEC);
    return pidfd;
}

} // namespace

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1))
    , pidfd_(std::move(other.pidfd_)) {}

Child& Child::operator=(Child&& other) noexcept {
    if (this != &other) {
        Child old(std::move(*this));
        pid_ = std::exchange(other.pid_, -1);
        pidfd_ = std::move(other.pidfd_);
    }
    return *this;
}

Child::~Child() {
    if (pid_ > 0) {
        signal_group(SIGKILL);
        (void)reap();
    }
}

void Child::signal_group(int signal) const noexcept {
    if (pid_ > 0)
        (void)::kill(-pid_, signal);
}

std::optional<int> Child::try_reap() noexcept {
    int wait_status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &wait_status, WNOHANG) != pid_)
        return std::nullopt;
    pid_ = -1;
    return wait_status;
}

int Child::reap() noexcept {
    int wait_status = 0;
    while (pid_ > 0 && ::waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return wait_status;
}

int Child::reap_within(std::chrono::milliseconds patience) noexcept {
    pollfd ended{pidfd_.get(), POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(patience.count())) <= 0)
        signal_group(SIGKILL);
    return reap();
}

Result<Child> spawn(const SpawnRequest& request) {
    if (request.program.empty() || request.program.front() != '/' || request.argv.empty())
        return Error{Code::internal, "spawn needs an absolute path and an argv"};
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);

    int scratch = 64;
    for (const auto& descriptor : request.descriptors)
        scratch = std::max({scratch, descriptor.from + 1, descriptor.to + 1});
    // The error pipe must not be overwritten by a placed descriptor either.
    Fd error_pipe(
        ::fcntl(write_end.get(), F_DUPFD_CLOEXEC, scratch + static_cast<int>(request.descriptors.size())));
    if (!error_pipe)
        return errno_error("duplicate a descriptor");
    write_end.reset();

    const auto argv = pointers(request.argv);
    const auto env = pointers(request.env);
    const ChildPlan plan{request.program.c_str(),
                         argv.data(),
                         env.data(),
                         request.directory.c_str(),
                         request.become ? &*request.become : nullptr,
                         request.descriptors.data(),
                         request.descriptors.size(),
                         request.limits.data(),
                         request.limits.size(),
                         request.no_new_privileges,
                         request.die_with_parent,
                         request.umask,
                         error_pipe.get(),
                         scratch,
                         ::getpid()};
    // Signals stay blocked over the fork: a handler of ours must not run in the child.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)::sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0)
        run_child(plan);
    const int fork_errno = errno;
    (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0)
        return errno_error("fork", fork_errno);
    error_pipe.reset();

    StepFailure failure{};
    ssize_t size = 0;
    while ((size = ::read(read_end.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
    }
    Child child(pid, Fd());
    if (size == static_cast<ssize_t>(sizeof failure)) {
        (void)child.reap();
        failure.step[sizeof failure.step - 1] = '\0';
        return errno_error(fmt::format("start {}: {}", request.program, failure.step), failure.error_number);
    }
    auto pidfd = open_pidfd(pid);
    if (!pidfd)
        return std::move(pidfd).error();
    child.release();
    return Child(pid, std::move(*pidfd));
}

std::string describe_wait_status(int wait_status) {
    if (WIFEXITED(wait_status))
        return fmt::format("exited with status {}", WEXITSTATUS(wait_status));
    if (WIFSIGNALED(wait_status)) {
        const int number = WTERMSIG(wait_status);
        const char* name = ::sigabbrev_np(number);
        return fmt::format("killed by signal {} (SIG{})", number, name == nullptr ? "?" : name);
    }
    return fmt::format("ended with wait status {}", wait_status);
}

int exit_code_of(int wait_status) noexcept {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

} // namespace pgod::os

#include "os/spawn.hpp"

#include "os/drop.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
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

// Of our own children, before they become somebody else: forking and looking up a program on a busy disk.
constexpr int start_patience = 30'000; // ms

// What raise_descriptor_limit() found; written once, at the start.
std::optional<rlimit> first_descriptor_limit;

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
    const char* overlay_from; // null: none
    const char* overlay_onto;
    const ResourceLimit* limits;
    std::size_t limit_count;
    bool no_new_privileges;
    bool die_with_parent;
    bool owns_terminal;
    mode_t umask_value;
    const rlimit* descriptor_limit; // null: as ours
    int error_pipe;
    int scratch; // descriptors from here on are free for moving ours out of the way
    pid_t parent;
};

// What the child says before execve: which step failed, or with no error that it now becomes the user, after
// which nobody listens.
struct StepReport {
    int error_number;
    char step[32];
};

[[noreturn]] void fail_child(const ChildPlan& plan, const char* step) noexcept {
    StepReport failure{errno == 0 ? ECANCELED : errno, {}}; // no error would say: it becomes the user
    std::strncpy(failure.step, step, sizeof failure.step - 1);
    (void)!::write(plan.error_pipe, &failure, sizeof failure);
    ::_exit(not_started);
}

// From the first line on the user may stop us: the parent has been told to wait no longer.
void become_user(const ChildPlan& plan) noexcept {
    const Identity& user = *plan.become;
    const char* refused = refuse_root(user.uid, user.gid, user.groups.data(), user.groups.size());
    if (refused != nullptr)
        fail_child(plan, refused);
    if (::access(plan.program, X_OK) != 0)
        fail_child(plan, "execute");
    const StepReport leaving{};
    if (::write(plan.error_pipe, &leaving, sizeof leaving) != static_cast<ssize_t>(sizeof leaving) ||
        drop_privileges(user.uid, user.gid, user.groups.data(), user.groups.size()) != nullptr)
        ::_exit(not_started);
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

// Mounts of the host still come and go in there; none of ours goes out.
void lay_over(const ChildPlan& plan) noexcept {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
        fail_child(plan, "make a mount namespace");
    if (::mount(plan.overlay_from, plan.overlay_onto, nullptr, MS_BIND, nullptr) != 0)
        fail_child(plan, "lay a file over another");
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
    if (plan.overlay_from != nullptr)
        lay_over(plan);
    if (plan.owns_terminal && ::ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0)
        fail_child(plan, "take the terminal");
    if (plan.descriptor_limit != nullptr && ::setrlimit(RLIMIT_NOFILE, plan.descriptor_limit) != 0)
        fail_child(plan, "set the limit of descriptors");
    for (std::size_t i = 0; i < plan.limit_count; ++i) {
        const rlimit limit{plan.limits[i].value, plan.limits[i].value};
        if (::setrlimit(static_cast<__rlimit_resource>(plan.limits[i].resource), &limit) != 0)
            fail_child(plan, "set a resource limit");
    }
    ::umask(plan.umask_value);
    if (plan.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail_child(plan, "set no_new_privs");
    if (::chdir(plan.directory) != 0)
        fail_child(plan, "enter the directory");
    close_the_rest(plan);
    if (plan.become != nullptr)
        become_user(plan);
    // After the drop: the kernel clears it when the ids change (prctl(2)).
    if (plan.die_with_parent &&
        (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || ::getppid() != plan.parent))
        fail_child(plan, "tie the child to its parent");
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

// Until execve closed the pipe, or the child says that it becomes the user: what failed, or null.
std::optional<Error> wait_for_start(int pipe, const std::string& program) {
    pollfd told{pipe, POLLIN, 0};
    int ready = 0;
    while ((ready = ::poll(&told, 1, start_patience)) < 0 && errno == EINTR) {
    }
    if (ready == 0)
        return Error{Code::timeout,
                     fmt::format("start {}: it did not begin within {} s", program, start_patience / 1000)};
    StepReport report{};
    ssize_t size = 0;
    while ((size = ::read(pipe, &report, sizeof report)) < 0 && errno == EINTR) {
    }
    if (size != static_cast<ssize_t>(sizeof report) || report.error_number == 0)
        return std::nullopt;
    report.step[sizeof report.step - 1] = '\0';
    return errno_error(fmt::format("start {}: {}", program, report.step), report.error_number);
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

void Child::kill_and_forget() noexcept {
    signal_group(SIGKILL);
    (void)try_reap();
    release();
}

int Child::reap() noexcept {
    int wait_status = 0;
    while (pid_ > 0 && ::waitpid(pid_, &wait_status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return wait_status;
}

Result<Child> spawn(const SpawnRequest& request) {
    if (request.program.empty() || request.program.front() != '/' || request.argv.empty())
        return Error{Code::internal, "spawn needs an absolute path and an argv"};
    if (request.become && request.directory != "/")
        return Error{Code::internal, "spawn does not enter a directory for somebody else"};
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
                         request.overlay ? request.overlay->from.c_str() : nullptr,
                         request.overlay ? request.overlay->onto.c_str() : nullptr,
                         request.limits.data(),
                         request.limits.size(),
                         request.no_new_privileges,
                         request.die_with_parent,
                         request.owns_terminal,
                         request.umask,
                         first_descriptor_limit ? &*first_descriptor_limit : nullptr,
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

    // A child that failed has not become anybody, so that waiting for its end is safe.
    Child child(pid, Fd());
    if (auto failure = wait_for_start(read_end.get(), request.program)) {
        (void)::kill(pid, SIGKILL); // it may have no group of its own yet
        return std::move(*failure);
    }
    auto pidfd = open_pidfd(pid);
    if (!pidfd) {
        child.kill_and_forget();
        return std::move(pidfd).error();
    }
    child.release();
    return Child(pid, std::move(*pidfd));
}

void raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (first_descriptor_limit || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
        first_descriptor_limit = limit;
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

#include "daemon/git_role.hpp"

#include "core/exit_status.hpp"
#include "daemon/git_job.hpp"
#include "git/library.hpp"
#include "os/channel.hpp"
#include "os/log.hpp"
#include "os/spawn.hpp"

#include <poll.h>
#include <signal.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <vector>

namespace pgod::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int control_fd = 3;
constexpr std::size_t max_jobs = 64; // beyond these, frames wait in the socket
constexpr milliseconds max_deadline = std::chrono::hours(2);

struct Job {
    std::uint64_t id = 0;
    os::Child process;
    Clock::time_point deadline;
    bool deadline_passed = false;
};

class GitRole {
  public:
    explicit GitRole(os::Channel control)
        : control_(std::move(control)) {}
    ~GitRole();
    GitRole(const GitRole&) = delete;
    GitRole& operator=(const GitRole&) = delete;

    int run();

  private:
    Result<bool> take_request(); // false: the supervisor closed
    Status start(const ipc::GitJob& request, Fd channel);
    void wait();
    void end_late_jobs();
    Status reap();

    os::Channel control_;
    std::vector<Job> jobs_;
    bool request_waits_ = false;
};

// By pid: the job may not have made its session yet, and it starts nothing itself.
void kill_job(const Job& job) {
    (void)::kill(job.process.pid(), SIGKILL);
}

GitRole::~GitRole() {
    std::for_each(jobs_.begin(), jobs_.end(), kill_job); // all at once; then each is reaped by its owner
}

Status GitRole::start(const ipc::GitJob& request, Fd channel) {
    const auto deadline = Clock::now() + request.deadline;
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0)
        run_git_job(request, std::move(channel), deadline, parent);
    if (pid < 0)
        return errno_error("fork a repository job");
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); // close-on-exec by itself
    if (!pidfd) {
        auto error = errno_error("watch a repository job");
        (void)::kill(pid, SIGKILL);
        (void)os::Child(pid, Fd()).reap();
        return error;
    }
    jobs_.push_back({request.id, os::Child(pid, std::move(pidfd)), deadline, false});
    return ok();
}

Result<bool> GitRole::take_request() {
    auto received = TRY(control_.try_receive());
    if (!received)
        return true;
    if (received->closed())
        return false;
    const auto request = TRY(ipc::decode<ipc::GitRequest>(received->bytes));
    const auto& job = std::get<ipc::GitJob>(request);
    if (received->fds.size() != 1 || job.deadline <= milliseconds::zero() || job.deadline > max_deadline)
        return Error{Code::invalid, "malformed repository job"};
    if (auto started = start(job, std::move(received->fds.front())); !started) {
        os::log_error("{}", started.error().message);
        TRY(control_.send(ipc::encode(ipc::GitNotice(ipc::JobEnded{.id = job.id, .wait_status = 70 << 8}))));
    }
    return true;
}

void GitRole::wait() {
    const bool has_room = jobs_.size() < max_jobs;
    std::vector<pollfd> waiting{{control_.fd(), static_cast<short>(has_room ? POLLIN : 0), 0}};
    auto next = Clock::time_point::max();
    for (const auto& job : jobs_) {
        waiting.push_back({job.process.pidfd(), POLLIN, 0});
        if (!job.deadline_passed)
            next = std::min(next, job.deadline);
    }
    int timeout = -1;
    if (next != Clock::time_point::max()) {
        const auto left = std::chrono::ceil<milliseconds>(next - Clock::now()).count();
        timeout = static_cast<int>(std::clamp<milliseconds::rep>(left, 0, INT_MAX));
    }
    const int ready = ::poll(waiting.data(), waiting.size(), timeout);
    request_waits_ = ready > 0 && waiting.front().revents != 0;
}

void GitRole::end_late_jobs() {
    for (auto& job : jobs_) {
        if (job.deadline_passed || Clock::now() < job.deadline)
            continue;
        job.deadline_passed = true;
        kill_job(job);
    }
}

Status GitRole::reap() {
    for (auto job = jobs_.begin(); job != jobs_.end();) {
        const auto status = job->process.try_reap();
        if (!status) {
            ++job;
            continue;
        }
        const ipc::JobEnded ended{
            .id = job->id, .deadline_passed = job->deadline_passed, .wait_status = *status};
        job = jobs_.erase(job);
        TRY(control_.send(ipc::encode(ipc::GitNotice(ended))));
    }
    return ok();
}

int GitRole::run() {
    for (;;) {
        wait();
        end_late_jobs();
        if (auto reaped = reap(); !reaped)
            return exit_status::done; // the supervisor is gone
        if (!request_waits_)
            continue;
        auto open = take_request();
        if (!open) {
            os::log_error("{}", open.error().message);
            return exit_status::internal;
        }
        if (!*open)
            return exit_status::done;
    }
}

} // namespace

int run_git_role(bool debug) {
    os::start_log("pgod-git", debug);
    const rlimit no_core{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &no_core);
    // It holds credentials of every service: nobody traces it, and it does not outlive the supervisor.
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        os::log_error("{}", errno_error("protect pgod-git").message);
        return exit_status::internal;
    }
    (void)::signal(SIGPIPE, SIG_IGN);
    if (auto started = git::start_library(); !started) {
        os::log_error("{}", started.error().message);
        return exit_status::internal;
    }
    return GitRole(os::Channel(Fd(control_fd))).run();
}

} // namespace pgod::daemon

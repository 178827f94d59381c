#include "daemon/git_role.hpp"

#include "core/exit_status.hpp"
#include "daemon/git_job.hpp"
#include "git/library.hpp"
#include "os/channel_descriptors.hpp"
#include "os/line.hpp"
#include "os/log.hpp"
#include "os/pipe.hpp"
#include "os/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

namespace pgod::daemon {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int down_descriptor = 3;
constexpr int up_descriptor = 4;
constexpr milliseconds notice_patience = std::chrono::minutes(1);
constexpr std::size_t max_processes = 64; // beyond these, frames wait in the socket
constexpr milliseconds max_deadline = std::chrono::hours(2);

// Of those that stay for more jobs than one. Users beyond these numbers have a process for each job.
constexpr std::size_t max_staying = 16;
constexpr std::size_t max_staying_of_user = 2;
constexpr unsigned max_jobs_of_one = 1000;
constexpr milliseconds longest_life = std::chrono::hours(1);
constexpr milliseconds longest_wait = std::chrono::seconds(60); // a user who waits for nothing has no process

struct Process {
    os::Child child;
    std::uint64_t job = 0;      // under way; 0: none, it waits for the next
    Clock::time_point deadline; // of the job, or of the waiting; max(): it was killed
    bool deadline_passed = false;
    os::Channel orders; // open: it may stay
    Fd notices;         // with it
    Identity user;
    std::uint64_t max_bytes = 0; // its limit on files is made of this
    Clock::time_point born;
    unsigned jobs = 1;
};

class GitRole {
  public:
    explicit GitRole(os::LowerEnd control)
        : control_(std::move(control)) {}
    ~GitRole();
    GitRole(const GitRole&) = delete;
    GitRole& operator=(const GitRole&) = delete;

    int run();

  private:
    Result<bool> take_request(); // false: the supervisor closed
    bool give_to_waiting(const ipc::GitJob& job, std::string_view frame, const Fd& report);
    bool another_may_stay(const ipc::GitJob& job) const;
    Status start(const ipc::GitJob& job, Fd report, Fd credentials, bool may_stay);
    Status serve_once();
    Status take_notice(Process& process);
    Status reap(std::size_t index);
    Status tell(const ipc::JobEnded& ended);
    Status tell(const Process& process, int wait_status);
    void end_late();

    os::LowerEnd control_;
    std::vector<Process> processes_;
};

// By pid: the job may not have made its session yet, and it starts nothing itself.
void kill_process(Process& process) {
    process.deadline = Clock::time_point::max();
    (void)::kill(process.child.pid(), SIGKILL);
}

bool is_same(const Identity& one, const Identity& other) {
    return one.uid == other.uid && one.gid == other.gid && one.name == other.name &&
           one.groups == other.groups && one.home == other.home;
}

GitRole::~GitRole() {
    std::for_each(processes_.begin(), processes_.end(),
                  kill_process); // all at once; then its owner reaps each
}

// One that waits has been its user ever since its first job, and has its limits.
bool GitRole::give_to_waiting(const ipc::GitJob& job, std::string_view frame, const Fd& report) {
    const auto found = std::find_if(processes_.begin(), processes_.end(), [&](const Process& process) {
        return process.job == 0 && process.orders && process.max_bytes == job.max_bytes &&
               is_same(process.user, job.user);
    });
    const std::array<int, 1> fds{report.get()};
    if (found == processes_.end() || !found->orders.try_send(frame, fds))
        return false;
    found->job = job.id;
    found->deadline = Clock::now() + job.deadline;
    ++found->jobs;
    return true;
}

bool GitRole::another_may_stay(const ipc::GitJob& job) const {
    std::size_t all = 0;
    std::size_t of_user = 0;
    for (const auto& process : processes_) {
        if (!process.orders)
            continue;
        ++all;
        of_user += process.user.uid == job.user.uid ? 1 : 0;
    }
    return all < max_staying && of_user < max_staying_of_user;
}

Status GitRole::start(const ipc::GitJob& job, Fd report, Fd credentials, bool may_stay) {
    std::array<os::Channel, 2> orders;
    os::Pipe notices;
    if (may_stay) {
        orders = TRY(os::Channel::pair());
        notices = TRY(os::make_pipe());
        // The user's process can send nothing up: what it queued, descriptors above all, we would have to
        // close.
        if (::shutdown(orders[0].fd(), SHUT_RD) != 0 ||
            ::fcntl(notices.read_end.get(), F_SETFL, O_NONBLOCK) != 0)
            return errno_error("prepare a repository job");
    }
    const auto now = Clock::now();
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0)
        run_git_job(
            job,
            {std::move(report), orders[1].release(), std::move(notices.write_end), std::move(credentials)},
            now + job.deadline, parent);
    if (pid < 0)
        return errno_error("fork a repository job");
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); // close-on-exec by itself
    if (!pidfd) {
        auto error = errno_error("watch a repository job");
        (void)::kill(pid, SIGKILL);
        (void)os::Child(pid, Fd()).reap();
        return error;
    }
    processes_.push_back({os::Child(pid, std::move(pidfd)), job.id, now + job.deadline, false,
                          std::move(orders[0]), std::move(notices.read_end), job.user, job.max_bytes, now,
                          1});
    return ok();
}

Result<bool> GitRole::take_request() {
    auto received = TRY(os::try_receive_with_descriptors(control_.down));
    if (!received)
        return true;
    if (received->closed())
        return false;
    const auto request = TRY(ipc::decode<ipc::GitRequest>(received->bytes));
    const auto& job = std::get<ipc::GitJob>(request);
    if (received->fds.empty() || received->fds.size() > 2 || job.id == 0 ||
        job.deadline <= milliseconds::zero() || job.deadline > max_deadline)
        return Error{Code::invalid, "malformed repository job"};
    Fd report = std::move(received->fds.front());
    Fd credentials = received->fds.size() == 2 ? std::move(received->fds.back()) : Fd();
    const bool shares = !credentials && may_share_process(job);
    if (shares && give_to_waiting(job, received->bytes, report))
        return true;
    if (auto started = start(job, std::move(report), std::move(credentials), shares && another_may_stay(job));
        !started) {
        os::log_error("{}", started.error().message);
        TRY(tell({.id = job.id, .wait_status = 70 << 8}));
    }
    return true;
}

Status GitRole::tell(const ipc::JobEnded& ended) {
    return control_.up.send(ipc::encode(ipc::GitNotice(ended)), notice_patience);
}

Status GitRole::tell(const Process& process, int wait_status) {
    return tell({.id = process.job, .deadline_passed = process.deadline_passed, .wait_status = wait_status});
}

// It says that it is done with its job, once; or it ends, and its pidfd tells how. What else it sends is a
// breach of the protocol.
Status GitRole::take_notice(Process& process) {
    std::array<char, 2> notice{};
    const ssize_t got = ::read(process.notices.get(), notice.data(), notice.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return ok();
    if (got == 0) { // it is about to end; killed now, it would seem to have failed
        process.orders.close();
        return ok();
    }
    if (got != static_cast<ssize_t>(ipc::done_notice.size()) || process.job == 0 || process.deadline_passed) {
        process.orders.close();
        kill_process(process);
        return ok();
    }
    TRY(tell(process, 0));
    process.job = 0;
    const auto now = Clock::now();
    process.deadline = now + longest_wait;
    if (process.jobs >= max_jobs_of_one || now - process.born >= longest_life) {
        process.orders.close();
        kill_process(process);
    }
    return ok();
}

Status GitRole::reap(std::size_t index) {
    Process& process = processes_[index];
    const auto status = process.child.try_reap();
    if (!status)
        return ok();
    const Process ended = std::move(process);
    processes_.erase(processes_.begin() + static_cast<std::ptrdiff_t>(index));
    return ended.job == 0 ? ok() : tell(ended, *status);
}

void GitRole::end_late() {
    const auto now = Clock::now();
    for (auto& process : processes_) {
        if (now < process.deadline)
            continue;
        process.deadline_passed = process.job != 0;
        kill_process(process);
    }
}

// Waits, and handles what happened. Code::gone: the supervisor is.
Status GitRole::serve_once() {
    const bool has_room = processes_.size() < max_processes;
    std::vector<pollfd> waiting{{control_.down.fd(), static_cast<short>(has_room ? POLLIN : 0), 0}};
    auto next = Clock::time_point::max();
    for (const auto& process : processes_) {
        waiting.push_back({process.child.pidfd(), POLLIN, 0});
        waiting.push_back({process.orders ? process.notices.get() : -1, POLLIN, 0});
        next = std::min(next, process.deadline);
    }
    int timeout = -1;
    if (next != Clock::time_point::max()) {
        const auto left = std::chrono::ceil<milliseconds>(next - Clock::now()).count();
        timeout = static_cast<int>(std::clamp<milliseconds::rep>(left, 0, INT_MAX));
    }
    const int ready = ::poll(waiting.data(), waiting.size(), timeout);
    end_late();
    if (ready <= 0)
        return ok();
    for (std::size_t index = processes_.size(); index-- > 0;) { // from the end: reap() erases
        if (waiting[2 + 2 * index].revents != 0)
            TRY(take_notice(processes_[index]));
        if (waiting[1 + 2 * index].revents != 0)
            TRY(reap(index));
    }
    if (waiting.front().revents != 0 && !TRY(take_request()))
        return Error{Code::gone, "the supervisor closed"};
    return ok();
}

int GitRole::run() {
    for (;;) {
        const auto served = serve_once();
        if (served)
            continue;
        if (served.error().code == Code::gone)
            return exit_status::done;
        os::log_error("{}", served.error().message);
        return exit_status::internal;
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
    return GitRole({os::Channel(Fd(down_descriptor)), os::FrameWriter(Fd(up_descriptor))}).run();
}

} // namespace pgod::daemon

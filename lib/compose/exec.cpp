#include "compose/exec.hpp"

#include "base/text.hpp"
#include "compose/operations.hpp"
#include "compose/subreaper.hpp"
#include "core/exec_request.hpp"
#include "core/exit_status.hpp"
#include "os/processes.hpp"
#include "os/spawn.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <thread>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto grace = 1s;           // between the hang-up and the kill
constexpr auto podman_patience = 4s; // for podman to end when nothing runs inside any more
constexpr auto ending_patience = 8s; // less than the supervisor has, see daemon/worker.cpp
constexpr auto between_looks = 50ms;
constexpr std::string_view monitor = "conmon"; // podman's, one for each command; podman itself need not live

// The client's leaving is SIGTERM from the supervisor, or nobody at the other end of our standard output.
Result<Fd> watch_for_termination() {
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    Fd fd(::signalfd(-1, &terminate, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd || ::sigprocmask(SIG_BLOCK, &terminate, nullptr) != 0)
        return errno_error("watch for signals");
    return fd;
}

bool has_ended(const os::Child& child) {
    pollfd ended{child.pidfd(), POLLIN, 0};
    return ::poll(&ended, 1, 0) == 1;
}

// What the command left to be found: our descendants (a Subreaper gives us those that lost their parent), and
// whoever shares a session with one of them inside the container.
class Inside {
  public:
    struct Found {
        std::vector<os::Process> processes; // inside the container
        bool monitored = false;             // a command is being started, runs, or has just ended
    };

    Found look() {
        Found found;
        const auto all = os::processes();
        std::set<pid_t> ours{::getpid()};
        for (bool grew = true; grew;) {
            grew = false;
            for (const auto& process : all)
                if (ours.contains(process.parent))
                    grew |= ours.insert(process.pid).second;
        }
        const auto is_inside = [this](const os::Process& process) {
            return os::namespace_depth(process.pid) > depth_;
        };
        for (const auto& process : all) {
            if (!ours.contains(process.pid) || process.pid == ::getpid())
                continue;
            found.monitored |= process.name == monitor;
            if (process.session > 0 && is_inside(process))
                sessions_.insert(process.session);
        }
        std::copy_if(all.begin(), all.end(), std::back_inserter(found.processes), [&](const auto& process) {
            return sessions_.contains(process.session) && is_inside(process);
        });
        return found;
    }

  private:
    std::size_t depth_ = os::namespace_depth(::getpid());
    std::set<pid_t> sessions_;
};

void end_inside(const os::Child& podman) {
    Inside inside;
    std::set<pid_t> told;
    const auto begin = Clock::now();
    for (auto now = begin; now < begin + ending_patience; now = Clock::now()) {
        const auto found = inside.look();
        const bool ended = has_ended(podman);
        if (ended && found.processes.empty() && !found.monitored)
            return;
        for (const auto& process : found.processes) {
            if (now >= begin + grace) {
                (void)os::signal_process(process, SIGKILL);
            } else if (told.insert(process.pid).second) {
                (void)os::signal_process(process, SIGHUP);
                (void)os::signal_process(process, SIGCONT); // one that is stopped hears nothing
            }
        }
        if (!ended && now >= begin + podman_patience)
            podman.signal_group(SIGKILL);
        std::this_thread::sleep_for(between_looks);
    }
}

os::SpawnRequest podman_exec(const Work& work, const ExecRequest& wanted, const Container& container) {
    os::SpawnRequest request;
    request.program = work.podman.program();
    // Without detach keys: a client's control-P is its own.
    request.argv = {"podman", "exec", "--interactive", "--detach-keys="};
    if (!work.job.terminal.empty())
        request.argv.insert(request.argv.end(), {"--tty", "--env=TERM=" + work.job.terminal});
    request.argv.push_back(container.id);
    request.argv.insert(request.argv.end(), wanted.command.begin(), wanted.command.end());
    request.env = work.podman.environment();
    request.descriptors = {
        {STDIN_FILENO, STDIN_FILENO}, {STDOUT_FILENO, STDOUT_FILENO}, {STDERR_FILENO, STDERR_FILENO}};
    request.die_with_parent = true;
    request.owns_terminal = !work.job.terminal.empty();
    return request;
}

Result<Container> running_container(const Work& work, const std::string& service) {
    auto found = TRY(select_containers(work, {service}));
    const auto running = std::find_if(
        found.begin(), found.end(), [](const Container& container) { return container.state == "running"; });
    if (running == found.end())
        return Error{Code::gone, fmt::format("{} has no running container; `start` or `up` brings one",
                                             escaped(service))};
    return std::move(*running);
}

Result<int> run_to_the_end(const Work& work) {
    const auto wanted = TRY(parse_exec(work.job.args));
    const auto container = TRY(running_container(work, wanted.service));
    const Fd terminate = TRY(watch_for_termination());
    const Subreaper subreaper;
    os::Child podman = TRY(os::spawn(podman_exec(work, wanted, container)));
    while (true) {
        std::array<pollfd, 3> fds{
            {{podman.pidfd(), POLLIN, 0}, {terminate.get(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
        if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
            return errno_error("poll");
        // First of all the client's leaving: podman may have ended of it already, and leaves the command
        // behind.
        if (fds[1].revents != 0 || fds[2].revents != 0) {
            end_inside(podman);
            return Error{Code::timeout,
                         "the command was ended: its client left, its time was up, or pgod is stopping"};
        }
        if (fds[0].revents != 0)
            return os::exit_code_of(podman.reap());
    }
}

} // namespace

JobResult run_inside(const Work& work) {
    const auto status = run_to_the_end(work);
    JobResult result;
    result.exit_status = status ? *status : exit_status::failed;
    if (!status) {
        work.output.say(status.error().message);
        if (status.error().code == Code::invalid)
            result.exit_status = exit_status::usage;
    }
    return result;
}

} // namespace pgod::compose

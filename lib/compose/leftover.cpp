#include "compose/leftover.hpp"

#include "base/text.hpp"
#include "compose/stopping.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto reserve = 30s;        // beside the deadline that the worker had given the call
constexpr auto longest_start = 120s; // of `run`, and whatever else stops no container
constexpr auto look_interval = 50ms;
constexpr std::size_t max_environment = 2 << 20; // bytes; the most that execve(2) takes

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// A process that has gone meanwhile, or is not ours to look into, has no such file for us.
std::string text_of(int proc, const std::string& path) {
    auto text = os::read_file_beneath(proc, path, max_environment);
    return text ? std::move(*text) : std::string();
}

// Root in a container of the user has the user's uid and chooses its name and its environment. A container
// has pids of its own; podman, which makes user namespaces as well, has those of the host
// (pid_namespaces(7)).
bool has_our_pids(int proc, const std::string& pid) {
    struct stat theirs {};
    struct stat ours {};
    return ::fstatat(proc, (pid + "/ns/pid").c_str(), &theirs, 0) == 0 &&
           ::fstatat(proc, "self/ns/pid", &ours, 0) == 0 && theirs.st_ino == ours.st_ino;
}

bool is_leftover(int proc, const std::string& pid, std::string_view mark) {
    struct stat status {};
    if (::fstatat(proc, pid.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_uid != ::geteuid() ||
        !has_our_pids(proc, pid))
        return false;
    // Programs that podman starts inherit its environment: conmon, pasta, its own "podman pause".
    if (trimmed(text_of(proc, pid + "/comm")) != "podman")
        return false;
    const std::string environment = text_of(proc, pid + "/environ");
    const auto variables = split(environment, '\0');
    return std::find(variables.begin(), variables.end(), mark) != variables.end();
}

// The 22nd field of stat(5), in ticks since the boot; the second one may hold anything.
std::chrono::seconds age_of(std::string_view stat) {
    constexpr std::size_t start_time = 19; // among those behind the name
    const auto fields = split(stat.substr(std::min(stat.rfind(')') + 2, stat.size())), ' ');
    const auto started = fields.size() > start_time ? parse_decimal(fields[start_time]) : std::nullopt;
    timespec now{};
    if (!started || ::clock_gettime(CLOCK_BOOTTIME, &now) != 0)
        return 0s;
    const auto since_boot = static_cast<std::int64_t>(*started) / std::max(::sysconf(_SC_CLK_TCK), 1L);
    return std::chrono::seconds(std::max<std::int64_t>(now.tv_sec - since_boot, 0));
}

bool stops_containers(const Leftover& leftover) {
    return leftover.verb == "rm" || leftover.verb == "stop" || leftover.verb == "restart";
}

// For the containers that are left.
std::optional<StopTimes> times_left(const Work& work) {
    const auto containers = work.podman.containers();
    if (!containers)
        return std::nullopt;
    return stop_times(work.podman, owned_by(*containers, work.job.service));
}

std::chrono::seconds longest_age(const Leftover& leftover, const std::optional<StopTimes>& times) {
    if (!stops_containers(leftover))
        return longest_start + reserve;
    if (!times) // podman does not answer
        return longest_removal + reserve;
    return work_of_podman + (leftover.verb == "restart" ? times->one_after_another : times->together) +
           reserve;
}

// Ended, whether or not somebody has reaped it.
bool has_ended(std::string_view pid) {
    const auto stat = os::read_file(fmt::format("/proc/{}/stat", pid), 4096);
    const auto name_end = stat ? stat->rfind(") ") : std::string::npos;
    return !stat || name_end == std::string::npos || stat->substr(name_end + 2, 1) == "Z";
}

bool is_abandoned(std::string_view name) {
    if (name.starts_with(env_file_prefix))
        return true; // we hold the lock
    if (!name.starts_with(recording_prefix))
        return false;
    name.remove_prefix(std::string_view(recording_prefix).size());
    const auto pid = name.substr(0, name.find('-'));
    return parse_decimal(pid) && has_ended(pid);
}

void remove_abandoned_files(const ServiceDirectory& directory) {
    const auto listed = directory.open_directory(".");
    if (!listed)
        return;
    const std::unique_ptr<DIR, CloseDirectory> list(::fdopendir(::fcntl(listed->get(), F_DUPFD_CLOEXEC, 0)));
    if (!list)
        return;
    while (const dirent* entry = ::readdir(list.get()))
        if (is_abandoned(entry->d_name))
            (void)::unlinkat(directory.fd(), entry->d_name, 0);
}

} // namespace

std::string leftover_mark(std::string_view service) {
    return fmt::format("PGOD_CHANGES={}", service);
}

std::vector<Leftover> leftovers(std::string_view service) {
    const std::string mark = leftover_mark(service);
    std::vector<Leftover> found;
    const std::unique_ptr<DIR, CloseDirectory> list(::opendir("/proc"));
    if (!list)
        return found;
    const int proc = ::dirfd(list.get());
    while (const dirent* entry = ::readdir(list.get())) {
        const std::string pid = entry->d_name;
        const auto number = parse_decimal(pid);
        if (!number || !is_leftover(proc, pid, mark))
            continue;
        const std::string arguments = text_of(proc, pid + "/cmdline");
        const auto words = split(arguments, '\0');
        found.push_back({static_cast<pid_t>(*number), words.size() > 1 ? std::string(words[1]) : "",
                         age_of(text_of(proc, pid + "/stat"))});
    }
    return found;
}

bool wait_for_leftovers(std::string_view service, const LongestAge& longest, Clock::time_point deadline) {
    bool killed = false;
    for (;;) {
        bool waits = false;
        for (const auto& one : leftovers(service))
            if (Clock::now() < deadline && one.age < longest(one)) {
                waits = true;
            } else {
                killed = true;
                (void)::kill(one.pid, SIGKILL);
            }
        if (!waits)
            return !killed;
        std::this_thread::sleep_for(look_interval); // they are nobody's children whom we could wait for
    }
}

Result<Fd> lock_service(const Work& work, Leftovers what) {
    Fd lock = TRY(work.directory.lock(work.job.deadline));
    if (what == Leftovers::leave)
        return lock;
    const auto found = leftovers(work.job.service);
    const bool asks = std::any_of(found.begin(), found.end(), stops_containers); // else podman is not asked
    const auto longest = [times = asks ? times_left(work) : std::nullopt](const Leftover& one) {
        return longest_age(one, times);
    };
    auto longest_wait = 0s; // for all of them, and for others that take their place
    for (const auto& one : found) {
        const auto left = std::max<std::chrono::seconds>(longest(one) - one.age, 0s);
        longest_wait = std::max(longest_wait, left);
        work.output.say(
            fmt::format("waiting for podman {} of a worker that was killed; in {} pgod kills it as well",
                        escaped(shortened(one.verb, 20)), left));
    }
    if (!wait_for_leftovers(work.job.service, longest,
                            std::min(work.job.deadline, Clock::now() + longest_wait))) {
        const std::string sentence =
            "a podman of a worker that was killed did not end in time; pgod killed it";
        work.output.say(sentence);
        os::log_warning("{}: {}", work.job.service, sentence);
    }
    remove_abandoned_files(work.directory);
    return lock;
}

} // namespace pgod::compose

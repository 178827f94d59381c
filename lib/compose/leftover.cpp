#include "compose/leftover.hpp"

#include "base/text.hpp"
#include "compose/stopping.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = longest_removal + 30s;
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

bool is_leftover(int proc, const std::string& pid, std::string_view mark) {
    struct stat status {};
    if (::fstatat(proc, pid.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_uid != ::geteuid())
        return false;
    // Programs that podman starts inherit its environment: conmon, pasta, its own "podman pause".
    if (trimmed(text_of(proc, pid + "/comm")) != "podman")
        return false;
    const std::string environment = text_of(proc, pid + "/environ");
    const auto variables = split(environment, '\0');
    return std::find(variables.begin(), variables.end(), mark) != variables.end();
}

std::vector<pid_t> leftovers(std::string_view mark) {
    std::vector<pid_t> found;
    const std::unique_ptr<DIR, CloseDirectory> proc(::opendir("/proc"));
    if (!proc)
        return found;
    while (const dirent* entry = ::readdir(proc.get()))
        if (const auto pid = parse_decimal(entry->d_name))
            if (is_leftover(::dirfd(proc.get()), entry->d_name, mark))
                found.push_back(static_cast<pid_t>(*pid));
    return found;
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

bool wait_for_leftovers(std::string_view service, Clock::time_point deadline) {
    const std::string mark = leftover_mark(service);
    for (;;) {
        const auto found = leftovers(mark);
        if (found.empty())
            return true;
        if (Clock::now() >= deadline) {
            for (const pid_t pid : found)
                (void)::kill(pid, SIGKILL);
            return false;
        }
        std::this_thread::sleep_for(look_interval); // they are nobody's children whom we could wait for
    }
}

Result<Fd> lock_service(const Work& work) {
    Fd lock = TRY(work.directory.lock(work.job.deadline));
    const auto deadline = std::min(work.job.deadline, Clock::now() + patience);
    if (!wait_for_leftovers(work.job.service, deadline))
        os::log_warning("{}: a podman of a worker that was killed did not end and was killed as well",
                        work.job.service);
    remove_abandoned_files(work.directory);
    return lock;
}

} // namespace pgod::compose

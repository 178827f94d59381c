#include "jail/watch.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>

namespace pgod::jail {

namespace {

// Often, since fallocate(2) takes any amount at once: the disk is then full until we look and end the build.
constexpr int look_ms = 20;

bool is_reached(const struct statvfs& found, const Reserve& reserve) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
    const bool counts_inodes = found.f_files > 0 && reserve.inodes > 0; // 0: there is no table of inodes
    return bytes <= reserve.bytes || (counts_inodes && found.f_favail <= reserve.inodes);
}

// The keeper's end ends init, and that ends everything in the jail; as subreaper we see the last of them go.
void end_everything(pid_t keeper) {
    (void)::kill(keeper, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
}

} // namespace

Result<int> watch(pid_t keeper, const Reserve& reserve) {
    const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, keeper, 0)));
    if (!ended) {
        auto error = errno_error("watch the build");
        end_everything(keeper);
        return error;
    }
    for (;;) {
        struct statvfs found {};
        pollfd poll{ended.get(), POLLIN, 0};
        if (::poll(&poll, 1, reserve.path.empty() ? -1 : look_ms) > 0)
            break;
        if (reserve.path.empty() || ::statvfs(reserve.path.c_str(), &found) != 0 ||
            !is_reached(found, reserve))
            continue;
        end_everything(keeper);
        const std::uint64_t bytes = static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
        return Error{Code::permanent,
                     fmt::format("it filled the disk, and pgod ended it when {} {} were free at {}",
                                 bytes <= reserve.bytes ? bytes >> 20 : found.f_favail,
                                 bytes <= reserve.bytes ? "MiB" : "inodes", reserve.path)};
    }
    int wait_status = 0;
    while (::waitpid(keeper, &wait_status, 0) < 0 && errno == EINTR) {
    }
    return wait_status;
}

bool names_oom_kill(std::string_view events) {
    for (const auto line : split(events, '\n'))
        if (line.starts_with("oom_kill ") && line != "oom_kill 0")
            return true;
    return false;
}

Status check_memory(std::uint64_t limit) {
    std::string line;
    std::ifstream own("/proc/self/cgroup");
    while (std::getline(own, line) && !line.starts_with("0::")) {
    }
    if (!line.starts_with("0::"))
        return ok();
    std::string events(4096, '\0'); // bytes, more than the kernel writes
    std::ifstream file("/sys/fs/cgroup" + line.substr(3) + "/memory.events");
    file.read(events.data(), static_cast<std::streamsize>(events.size()));
    events.resize(static_cast<std::size_t>(file.gcount()));
    if (!names_oom_kill(events))
        return ok();
    return Error{Code::permanent,
                 fmt::format("it needed more memory than the {} MiB that a build may use", limit >> 20)};
}

} // namespace pgod::jail

#include "os/processes.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

namespace pgod::os {

namespace {

constexpr std::size_t max_status = 16 << 10; // bytes

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { (void)::closedir(directory); }
};

// "PID (NAME) STATE PARENT GROUP SESSION …", the start as field 22; the name may hold anything (proc(5)).
std::optional<Process> parse_stat(pid_t pid, std::string_view stat) {
    const auto end_of_name = stat.rfind(") ");
    const auto name = stat.find('(');
    if (end_of_name == std::string_view::npos || name >= end_of_name)
        return std::nullopt;
    const auto fields = split(stat.substr(end_of_name + 2), ' ');
    if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X")
        return std::nullopt;
    const auto number = [&fields](std::size_t index) {
        return parse_decimal(fields[index]).value_or(0);
    };
    return Process{pid, static_cast<pid_t>(number(1)), static_cast<pid_t>(number(3)),
                   std::string(stat.substr(name + 1, end_of_name - name - 1)), number(19)};
}

std::string path_of(pid_t pid, std::string_view file) {
    return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

} // namespace

std::optional<Process> find_process(pid_t pid) {
    const auto stat = read_file(path_of(pid, "stat"), max_status);
    return stat ? parse_stat(pid, *stat) : std::nullopt;
}

std::vector<Process> processes() {
    std::vector<Process> found;
    const std::unique_ptr<DIR, CloseDirectory> list(::opendir("/proc"));
    if (!list)
        return found;
    while (const dirent* entry = ::readdir(list.get())) {
        if (const auto number = parse_decimal(entry->d_name))
            if (const auto process = find_process(static_cast<pid_t>(*number)))
                found.push_back(*process);
    }
    return found;
}

std::size_t namespace_depth(pid_t pid) {
    const auto status = read_file(path_of(pid, "status"), max_status);
    if (!status)
        return 0;
    for (const auto line : split(*status, '\n'))
        if (line.starts_with("NSpid:"))
            return static_cast<std::size_t>(std::count(line.begin(), line.end(), '\t'));
    return 0;
}

std::optional<std::int64_t> booted_at() {
    const auto init = find_process(1);
    const long ticks_a_second = ::sysconf(_SC_CLK_TCK);
    timespec since_kernel{};
    if (!init || ticks_a_second <= 0 || ::clock_gettime(CLOCK_BOOTTIME, &since_kernel) != 0)
        return std::nullopt;
    return std::time(nullptr) - since_kernel.tv_sec +
           static_cast<std::int64_t>(init->started) / ticks_a_second;
}

// The descriptor is taken first and the number looked at again: from then on nobody else can have it.
Status signal_process(const Process& process, int signal) {
    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
    const auto now = pidfd ? find_process(process.pid) : std::nullopt;
    if (!now || now->started != process.started)
        return Error{Code::gone, "the process has ended"};
    if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) != 0)
        return errno_error("signal a process");
    return ok();
}

} // namespace pgod::os

#include "compose/subreaper.hpp"

#include "base/text.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;
constexpr std::size_t max_stat = 4096; // bytes

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { (void)::closedir(directory); }
};

// "PID (NAME) STATE PARENT …"; the name may hold anything.
bool is_our_child(std::string_view stat) {
    const auto end_of_name = stat.rfind(") ");
    if (end_of_name == std::string_view::npos)
        return false;
    const auto fields = split(stat.substr(end_of_name + 2), ' ');
    return fields.size() > 1 && fields[1] == std::to_string(::getpid());
}

// A child cannot change its number under us: it stays until we wait for it.
std::vector<pid_t> children() {
    std::vector<pid_t> found;
    const std::unique_ptr<DIR, CloseDirectory> processes(::opendir("/proc"));
    if (!processes)
        return found;
    while (const dirent* entry = ::readdir(processes.get())) {
        const std::string name(entry->d_name);
        const auto number = parse_decimal(name);
        if (!number)
            continue;
        const auto stat = os::read_file_beneath(::dirfd(processes.get()), name + "/stat", max_stat);
        if (stat && is_our_child(*stat))
            found.push_back(static_cast<pid_t>(*number));
    }
    return found;
}

} // namespace

Subreaper::Subreaper() noexcept {
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Subreaper::~Subreaper() {
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

void Subreaper::end_descendants() const {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (auto left = children(); !left.empty() && std::chrono::steady_clock::now() < end; left = children()) {
        for (const pid_t pid : left)
            (void)::kill(pid, SIGKILL);
        for (const pid_t pid : left)
            (void)::waitpid(pid, nullptr, WNOHANG);
        std::this_thread::sleep_for(20ms); // whatever was theirs is ours next
    }
}

} // namespace pgod::compose

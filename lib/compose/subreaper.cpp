#include "compose/subreaper.hpp"

#include "os/processes.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;

// A child cannot change its number under us: it stays until we wait for it.
std::vector<pid_t> children() {
    std::vector<pid_t> found;
    for (const os::Process& process : os::processes())
        if (process.parent == ::getpid())
            found.push_back(process.pid);
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

// Leftovers: the podman calls that a worker had begun when it was killed. podman goes on by itself: a `run`
// may still make its container, an `rm` waits for processes to end. Whoever changes the service next
// waits for them, since what they do afterwards would come on top of it; each has only the time that such a
// call may take. They are known by a variable in their environment, and looked for in /proc as the service's
// user; containers never get it. Its temporary files go as well.
#pragma once

#include "base/fd.hpp"
#include "compose/job.hpp"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

// Temporary files of the service's directory, which their makers remove.
inline constexpr const char* env_file_prefix = "env-"; // an older pgod made these, under the lock
inline constexpr const char* recording_prefix =
    "recording-"; // likewise: its worker's pid, "-" and six letters

// What a podman call that changes something has in its environment.
std::string leftover_mark(std::string_view service);

struct Leftover {
    pid_t pid = 0;
    std::string verb; // of podman: "rm"
    std::chrono::seconds age{0};
};
std::vector<Leftover> leftovers(std::string_view service);

// How old it may become before it is killed.
using LongestAge = std::function<std::chrono::seconds(const Leftover&)>;

// false: some became older, or were there at the deadline; they were sent SIGKILL.
bool wait_for_leftovers(std::string_view service, const LongestAge& longest,
                        std::chrono::steady_clock::time_point deadline);

// The lock of the service's directory, and nobody's podman at work any more and nobody's files left: says
// what it waits for. `leave`: for jobs that change nothing, which leave both alone.
enum class Leftovers { wait, leave };
Result<Fd> lock_service(const Work& work, Leftovers leftovers = Leftovers::wait);

} // namespace pgod::compose

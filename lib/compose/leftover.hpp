// Leftovers: the podman calls that a worker had begun when it was killed. podman goes on by itself: a `run`
// may still make its container, an `rm` waits for processes to end. Whoever changes the service next
// waits for them, since what they do afterwards would come on top of it. They are known by a variable in
// their environment, and looked for in /proc as the service's user; containers never get it. Its temporary
// files go as well.
#pragma once

#include "base/fd.hpp"
#include "compose/job.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace pgod::compose {

// Temporary files of the service's directory, which their makers remove.
inline constexpr const char* env_file_prefix = "env-"; // an older pgod made these, under the lock
inline constexpr const char* recording_prefix =
    "recording-"; // likewise: its worker's pid, "-" and six letters

// What a podman call that changes something has in its environment.
std::string leftover_mark(std::string_view service);

// The lock of the service's directory, nobody's podman at work any more and nobody's files left. A podman
// that does not end within twelve and a half minutes is killed: longer than it may take to remove containers.
Result<Fd> lock_service(const Work& work);

// false: some were there until the deadline; they were sent SIGKILL.
bool wait_for_leftovers(std::string_view service, std::chrono::steady_clock::time_point deadline);

} // namespace pgod::compose

// run(): start a child, watch it to its end, and never longer than its deadline. What it prints is captured
// up to a bound, or handed on as it comes.
#pragma once

#include "os/spawn.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace pgod::os {

struct RunRequest {
    SpawnRequest spawn;                         // descriptors 1 and 2 are ours unless given there
    std::string input;                          // written to the child's stdin
    std::chrono::milliseconds deadline{60'000}; // then SIGTERM to the group, SIGKILL after `grace`
    std::chrono::milliseconds grace{5'000};
    std::size_t max_output = 1 << 20; // bytes kept of each stream; what exceeds it is dropped and said
    std::function<void(std::string_view)>
        on_output;      // if set: stdout and stderr as they come, nothing is kept
    int cancel_fd = -1; // readable or hung up: end the child as at the deadline
};

struct RunResult {
    int wait_status = 0;
    std::string output;
    std::string errors;
    bool truncated = false;
    bool timed_out = false;
    bool cancelled = false;
    bool succeeded() const noexcept { return !timed_out && !cancelled && wait_status == 0; }
};

Result<RunResult> run(const RunRequest& request);

} // namespace pgod::os

// One repository job, in its own process: a fork of pgod-git that becomes the service's user, does one thing
// under limits and reports on its channel. It reads what a git server and a repository send, all of it
// hostile.
#pragma once

#include "base/fd.hpp"
#include "ipc/git_messages.hpp"

#include <chrono>

namespace pgod::daemon {

// To be called right after fork, in the child; never returns. `channel` is the job's end of its pair, on
// which FoundKey and Warned, then one Synced or Exported are sent. `deadline` is when the parent kills it.
[[noreturn]] void run_git_job(const ipc::GitJob& job, Fd channel,
                              std::chrono::steady_clock::time_point deadline, pid_t parent) noexcept;

} // namespace pgod::daemon

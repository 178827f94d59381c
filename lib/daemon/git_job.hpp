// One repository job, in its own process: a fork of pgod-git that becomes the service's user, does one thing
// under limits and reports over a pipe. It reads what a git server and a repository send, all of it
// hostile.
//
// Most jobs are polls that find the tip where it was. A process that did nothing but ask, and had no
// credentials to show, may stay for the next such job of the same user (GitRole decides): a fork, its page
// faults and the drop of privileges cost ten times what the question costs.
#pragma once

#include "base/fd.hpp"
#include "ipc/git_messages.hpp"

#include <chrono>

namespace pgod::daemon {

// Whether a process that had this job may have another one, and may have had one before: it shows no
// credentials and brings no keys of the user along.
bool may_share_process(const ipc::GitJob& job);

struct JobDescriptors {
    Fd report; // the writing end of a pipe, for FoundKey and Warned, then one Synced or Exported
    // Open: the process may stay. It then sends a byte to `notices` for each job that it is done with, and takes the
    // next, a GitJob frame with its pipe beside it.
    Fd orders;
    Fd notices; // where it sends the byte: a pipe, which carries no descriptor up to pgod-git
    Fd credentials; // open: what the admin gave for the repository
};

// To be called right after fork, in the child; never returns. `deadline` is when the parent kills it.
[[noreturn]] void run_git_job(const ipc::GitJob& job, JobDescriptors descriptors,
                              std::chrono::steady_clock::time_point deadline, pid_t parent) noexcept;

} // namespace pgod::daemon

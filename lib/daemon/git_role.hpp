// The git role: pgod-git, root's small process (or the user's own, without root) that forks repository jobs.
//
// It initialises libgit2 and TLS once and then does nothing but receive jobs, fork, end what is over its
// deadline and reap. It parses nothing but the supervisor's frames, opens no repository and no connection,
// and stays small, because its size is the price of each fork. Single-threaded: the fork depends on it.
//
// Each job is a process of its own (git_job.hpp): a hang, a crash or a leak ends with it.
#pragma once

namespace pgod::daemon {

// Descriptor 3 is the control channel (ipc/git_messages.hpp). Returns the exit status when the supervisor
// closes it (0) or breaks the protocol (70); jobs that still run are killed.
int run_git_role(bool debug);

} // namespace pgod::daemon

// The git role: pgod-git, root's small process (or the user's own, without root) that forks repository jobs.
//
// It initialises libgit2 and TLS once and then does nothing but receive jobs, fork, end what is over its
// deadline and reap. It parses nothing but the supervisor's frames, opens no repository and no connection,
// and stays small, because its size is the price of each fork. Single-threaded: the fork depends on it.
//
// Each job is a process of its own (git_job.hpp): a hang, a crash or a leak ends with it. But for polls
// without credentials: a process that only looked at an upstream waits for the next such job of the very same
// identity: at most 16 of them, 2 of a user, for 60 s without work, 1000 jobs and an hour of life. Each job
// keeps its deadline. What a hostile git server makes of such a process, it could make of that user's
// repositories with a job of its own as well: the uid is the border.
#pragma once

namespace pgod::daemon {

// Descriptors 3 and 4 are its line to the supervisor (ipc/git_messages.hpp). Returns the exit status when
// that closes the line (0) or breaks the protocol (70); jobs that still run are killed.
int run_git_role(bool debug);

} // namespace pgod::daemon

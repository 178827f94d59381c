// How a client and the worker that serves it are joined: by pipes, or by a terminal. The supervisor makes the
// two ends, hands one to the SSH child and returns the other for the worker. It keeps neither, and never
// reads or writes what passes between them.
#pragma once

#include "core/exec_request.hpp"
#include "daemon/connection.hpp"
#include "daemon/worker.hpp"

namespace pgod::daemon {

Result<Worker::Streams> join_by_pipes(Connection& connection, bool with_input);
Result<Worker::Streams> join_by_terminal(Connection& connection, TerminalSize size);

} // namespace pgod::daemon

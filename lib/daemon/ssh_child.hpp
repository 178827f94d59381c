// One SSH connection, served from its first byte to its last by a forked child of pgod-ssh: user pgod, no
// capabilities, an empty root directory, no descriptors but those given here and standard error.
//
// It asks the supervisor whether a key is known and to run one command, and moves bytes: the supervisor's own
// words, what the operation prints, and with `exec` what the client sends to it, through the pipes or the
// terminal that the supervisor passes. It holds at most one chunk (32 KiB) of output: as long as the client
// takes nothing, nothing is read. Input is bounded by ssh_input.hpp.
//
// A client that asked for a terminal has switched its own to raw. Where the operation has none, it gets a
// carriage return before each line feed, and its control-C, which is only a byte then, ends the operation for
// it.
#pragma once

#include "base/fd.hpp"
#include "os/line.hpp"

#include <chrono>
#include <string>

namespace pgod::ssh {
class ServerBind;
}

namespace pgod::daemon {

struct SshChildTask {
    ssh::ServerBind& bind;
    Fd socket;                                // the client
    os::LowerEnd supervisor;                  // ipc/ssh_messages.hpp
    Fd life;                                  // held open, so that the listener sees the end of the process
    std::string peer;                         // for the debug log
    std::chrono::milliseconds login_deadline; // also for the request that must follow the login
};

// Ends the process when the connection is over.
[[noreturn]] void serve_connection(SshChildTask task) noexcept;

} // namespace pgod::daemon

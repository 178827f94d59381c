// One command on a client's session, and what it is given: its line, its input, a terminal. Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "core/exec_request.hpp"
#include "ssh/client_input.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

struct ssh_session_struct;

namespace pgod::ssh {

// What the command printed, as it comes. False: nobody wants more; the session ends there.
using TakeOutput = std::function<bool(bool is_stderr, std::string_view bytes)>;

struct ClientTerminal {
    std::string type; // TERM
    std::function<TerminalSize()> size;
    int resized = -1; // readable, with a signalfd_siginfo, when the size has changed
};

struct CommandRequest {
    std::string line;
    ClientInput& input;
    std::optional<ClientTerminal> terminal;
};

struct CommandEnd {
    std::optional<int> exit_status; // 0…255
    std::string exit_signal;        // without SIG; empty: it was none
    bool unwanted = false;          // the taker of output said so
    bool refused = false;           // the server began nothing: this key may not do that (ssh/refusal.hpp)
    std::string refusal;            // …and its words, which `take` did not get
};

// Of an authenticated session. Code::transient: the connection was lost before the command ended.
Result<CommandEnd> run_command(ssh_session_struct* session, const CommandRequest& request,
                               const TakeOutput& take);

} // namespace pgod::ssh

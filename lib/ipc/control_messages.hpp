// pgoctl ↔ supervisor over the control socket (os/control_socket.hpp). pgoctl sends one Ask and nothing more;
// the supervisor answers with the Text, Streams and Exit of ssh_messages.hpp. Who asks is not in here: the
// kernel says that. Both come from one release of pgod; another's frames do not decode, and are refused.
#pragma once

#include "ipc/ssh_messages.hpp"

namespace pgod::ipc {

struct Ask {
    std::string command; // SERVICE//OPERATION [ARG…], at most core max_command_bytes
    std::optional<Terminal> terminal;
    void fields(auto& archive) {
        archive(command);
        archive(terminal);
    }
};
using ControlRequest = std::variant<Ask>;

} // namespace pgod::ipc

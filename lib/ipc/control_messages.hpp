// pgoctl ↔ supervisor over the control socket (os/control_socket.hpp). pgoctl sends one Ask and nothing more;
// the supervisor answers with the Text, Streams and Exit of ssh_messages.hpp. Who asks is not in here: the
// kernel says that. Both come from one release of pgod; another's frames do not decode, and are refused.
//
// Where users connect who are not root, a process of pgod-relay stands between, which hands the same messages
// on, of the user's nothing but the bytes of an Ask.
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

// supervisor → pgod-relay: a user who connected, with three descriptors: the connection, and the lower end of
// a line (os/line.hpp), its socket and its pipe
struct Guest {
    void fields(auto&) {}
};
using RelayControl = std::variant<Guest>;

// supervisor → the relay of one connection, first frame on that line, when it has closed the connection
// itself: whoever closes it last closes what its user has put in, and that can take as long as the user likes
struct Begin {
    std::optional<Exit> refusal; // and this is all that the user hears
    void fields(auto& archive) { archive(refusal); }
};
using RelayStart = std::variant<Begin>;

} // namespace pgod::ipc

// Supervisor ↔ pgod-ssh, and supervisor ↔ each connection's child.
//
// The listener tells the supervisor of every accepted connection with Connected. The supervisor makes a
// line (os/line.hpp) and sends its lower end down with Line, which the listener passes on to that
// connection's child. Descriptors only ever go down. What a child may send when is fixed: any number of
// KeyQuery, then at most one Run. Anything else ends it. Closing the line is how either side leaves.
#pragma once

#include "ipc/codec.hpp"

namespace pgod::ipc {

// supervisor → pgod-ssh, first frame; with the listening sockets as descriptors
struct SshStart {
    Secret host_key;          // OpenSSH or PEM private key, ed25519 or ECDSA of P-256
    Secret second_host_key{}; // the other of the two types; empty: there is none
    std::uint32_t max_connections = 80;
    std::uint32_t max_strangers = 48;                 // connections without a request
    std::chrono::milliseconds login_deadline{10'000}; // and as long for the request that must follow
    void fields(auto& archive) {
        archive(host_key);
        archive(second_host_key);
        archive(max_connections);
        archive(max_strangers);
        archive(login_deadline);
    }
};
// supervisor → pgod-ssh, one for each Connected; with two descriptors, the child's end: its socket and its
// pipe
struct Line {
    std::uint64_t connection = 0;
    void fields(auto& archive) { archive(connection); }
};
struct Place {                    // supervisor → pgod-ssh, about one connection
    std::uint64_t connection = 0; // as Connected has it
    bool kept = false;            // it serves a request; false: no longer, so that it yields to others
    void fields(auto& archive) {
        archive(connection);
        archive(kept);
    }
};
using SshControl = std::variant<SshStart, Line, Place>;

// pgod-ssh → supervisor
struct Listening { // warmed up: from here on connections are answered
    std::string fingerprint;
    void fields(auto& archive) { archive(fingerprint); }
};
struct Connected {
    std::uint64_t connection = 0; // to be named in the Line that answers
    std::string
        peer; // "ADDRESS" or "[ADDRESS]" and ":PORT"; from accept(2), not from the client; at most 64 bytes
    void fields(auto& archive) {
        archive(connection);
        archive(peer);
    }
};
struct TurnedAway { // a connection: requests hold every place
    void fields(auto&) {}
};
using SshNotice = std::variant<Listening, Connected, TurnedAway>;

// connection's child → supervisor
struct KeyQuery {  // is this key known to any service or admin list?
    PublicKey key; // name empty
    void fields(auto& archive) { archive(key); }
};
struct Terminal {     // that the client sits at; its size later goes through the terminal itself
    std::string type; // TERM
    std::uint16_t columns = 80;
    std::uint16_t rows = 24;
    void fields(auto& archive) {
        archive(type);
        archive(columns);
        archive(rows);
    }
};
struct Run { // run this command for the key whose signature libssh has verified
    PublicKey key;
    std::string fingerprint; // SHA256:…, for the log
    std::string ssh_user;    // as the client gave it; only echoed
    std::string command;     // at most core max_command_bytes
    std::optional<Terminal> terminal;
    void fields(auto& archive) {
        archive(key);
        archive(fingerprint);
        archive(ssh_user);
        archive(command);
        archive(terminal);
    }
};
using SshRequest = std::variant<KeyQuery, Run>;

// supervisor → connection's child
struct KeyAnswer {
    bool known = false;
    void fields(auto& archive) { archive(known); }
};
struct Text { // the supervisor's own words, ready for the channel
    bool to_stderr = false;
    std::string bytes; // at most max_text_bytes
    void fields(auto& archive) {
        archive(to_stderr);
        archive(bytes);
    }
};
// The operation's streams, at most once, as one to three descriptors: a terminal's master; or the read ends
// of its stdout and stderr, and where it takes input the write end of its stdin.
struct Streams {
    void fields(auto&) {}
};
struct Exit { // last; the child first drains the streams
    std::int32_t status = 0;
    std::string last = {}; // then said on standard error; at most max_text_bytes
    bool refused = false;  // the key may not do that: nothing was begun, and another key can be tried
    void fields(auto& archive) {
        archive(status);
        archive(last);
        archive(refused);
    }
};
using SshReply = std::variant<KeyAnswer, Text, Streams, Exit>;

inline constexpr std::size_t max_text_bytes = std::size_t{32} * 1024;

} // namespace pgod::ipc

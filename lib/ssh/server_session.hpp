// ServerSession: one SSH connection as pgod serves it: public keys only, one channel, one request on it. It
// runs in the forked child of pgod-ssh that owns the connection, never blocks, and is driven by that child's
// poll(2) loop: poll fd() for poll_events(), call turn() when it is ready, look at what happened, write.
//
// Bounds: 20 authentication attempts, 2 MiB of input that nobody reads, and one chunk of output in libssh's
// buffers as long as nothing is written while room() is 0. While output waits nothing more is read either, so
// that a peer cannot pile up answers.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "core/exec_request.hpp"
#include "core/public_key.hpp"
#include "ssh/packet_meter.hpp"
#include "ssh/server_bind.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssh_channel_struct;
struct ssh_event_struct;
struct ssh_key_struct;
struct ssh_session_struct;

namespace pgod::ssh {

inline constexpr int max_login_attempts = 20;            // an agent may hold many keys
inline constexpr std::size_t max_unread_input = 2 << 20; // bytes; libssh 0.10 enforces no receive window

// Who has proved to hold which key.
struct Login {
    PublicKey key;
    std::string fingerprint; // SHA256:…
    std::string user;        // as the client gave it with the proof
};

struct RequestedTerminal {
    std::string type; // fit to be TERM
    TerminalSize size;
};

// What the client asked for on its channel.
struct ChannelRequest {
    bool shell = false; // no command: a plain `ssh host`
    std::string command;
    std::optional<RequestedTerminal> terminal;
};

class ServerSession {
  public:
    // Asked for each key that a client offers, with or without its signature; may block for a bounded time.
    using KnowsKey = std::function<bool(const PublicKey&)>;

    // Takes the connected socket and sends the first bytes of the key exchange.
    static Result<std::unique_ptr<ServerSession>> accept(ServerBind& bind, Fd socket, KnowsKey knows);
    ServerSession(const ServerSession&) = delete;
    ServerSession& operator=(const ServerSession&) = delete;
    ~ServerSession();

    int fd() const noexcept;
    short poll_events() const noexcept;
    // Handles what the socket is ready for. An error: the connection is over, and why.
    Status turn();

    const std::optional<Login>& login() const noexcept { return login_; }
    std::optional<ChannelRequest> take_request(); // once
    std::optional<TerminalSize> take_new_size();  // since the last call
    bool left() const noexcept { return left_; }  // the client closed its channel: nobody wants the rest

    // What the client sent and nobody took yet. All of it is taken at once, because libssh reopens its window
    // with every piece that is read, whatever is left: so up to a window (1.3 MB, from libssh 0.11 on 2 MiB)
    // is here and as much there.
    std::size_t unread() const noexcept { return unread_; }
    Result<std::string> take_input();
    bool input_ended() const noexcept; // after what is unread

    // How many bytes write() takes now: 0 while the client's window is closed or earlier output still waits.
    std::size_t room() const noexcept;
    // How many of the bytes were taken; a new key exchange makes it fewer.
    Result<std::size_t> write(std::string_view bytes, bool to_stderr);

    // The words that follow say that the key is not authorised, and nothing was begun (ssh/refusal.hpp).
    Status announce_refusal();
    // Sends exit status, end of file and close. False: output still waits, call again after the next turn.
    Result<bool> finish(int exit_status);
    // Says why and ends the connection; waits up to a second for the client to read that.
    void disconnect(const std::string& why) noexcept;

  private:
    struct Callbacks;
    struct EventDeleter {
        void operator()(ssh_event_struct* event) const noexcept;
    };

    explicit ServerSession(KnowsKey knows);
    Status start(ServerBind& bind, Fd socket);
    Status check_open() const;
    Status check_protocol() const;
    bool accept_key(const char* user, ssh_key_struct* key, bool signature_valid);
    bool count_attempt() noexcept; // false: too many
    ssh_channel_struct* open_channel();
    bool record(ChannelRequest request);
    std::string whole_command(const char* text) const;
    bool record(RequestedTerminal terminal);
    int note_input(std::size_t unread) noexcept;

    KnowsKey knows_;
    std::optional<PublicKey> known_; // the last key that was said to be known: its signature follows
    std::optional<Login> login_;
    std::optional<ChannelRequest> request_;
    std::optional<RequestedTerminal> terminal_;
    std::optional<TerminalSize> new_size_;
    std::string earlier_error_; // what libssh had to say when the channel was opened
    std::size_t unread_ = 0;
    bool requested_ = false;
    bool left_ = false;
    int attempts_ = 0;
    bool finishing_ = false;
    const char* violation_ = nullptr; // why this connection must end

    // In this order: the event gives its poll handle back to the session, which calls back until it is freed.
    std::unique_ptr<Callbacks> callbacks_;
    SessionHandle session_;
    std::unique_ptr<ssh_event_struct, EventDeleter> event_;
    PacketMeter meter_;                     // from the channel's opening to its request
    ssh_channel_struct* channel_ = nullptr; // owned by the session
};

} // namespace pgod::ssh

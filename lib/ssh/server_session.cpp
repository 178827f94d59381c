#include "ssh/server_session.hpp"

#include "base/handle.hpp"
#include "ssh/key.hpp"
#include "ssh/refusal.hpp"
#include "ssh/server_bind.hpp"
#include "ssh/ssh_error.hpp"

#include <libssh/callbacks.h>
#include <libssh/server.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace pgod::ssh {

namespace {

constexpr std::size_t max_chunk = std::size_t{32} * 1024; // bytes of one write()

// Not sticky, so after every read: ssh(1) leaves Nagle on, and a delayed acknowledgement then costs 42 ms.
// On a socket that is not TCP (the warm-up) it fails, which changes nothing.
void acknowledge_at_once(int socket) noexcept {
    const int on = 1;
    (void)::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// Closing a socket that has unread input resets the connection, and the peer may lose what was sent last. So
// input is thrown away until the peer has closed, for at most a second and a megabyte.
void let_it_arrive(int socket) noexcept {
    (void)::shutdown(socket, SHUT_WR);
    std::array<char, 16'384> waste{};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    for (int i = 0; i < 64; ++i) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        pollfd ready{socket, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) != 1 ||
            ::recv(socket, waste.data(), waste.size(), MSG_DONTWAIT) <= 0)
            return;
    }
}

} // namespace

// The trampolines: libssh calls them from turn() and write(). They only record; what was recorded is acted on
// after libssh has returned, because a call from inside recurses into its packet handling.
struct ServerSession::Callbacks {
    ssh_server_callbacks_struct server{};
    ssh_channel_callbacks_struct channel{};

    static ServerSession& session_of(void* data) noexcept { return *static_cast<ServerSession*>(data); }
    static int auth_pubkey(ssh_session, const char* user, ssh_key key, char state, void* data) noexcept {
        if (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID)
            return SSH_AUTH_DENIED;
        const bool yes = session_of(data).accept_key(user, key, state == SSH_PUBLICKEY_STATE_VALID);
        return yes ? SSH_AUTH_SUCCESS : SSH_AUTH_DENIED;
    }
    // Everything that has no callback of its own, such as the methods `none` and `password`.
    static int other_message(ssh_session, ssh_message message, void* data) noexcept {
        if (::ssh_message_type(message) == SSH_REQUEST_AUTH)
            (void)session_of(data).count_attempt();
        return 1; // refuse it
    }
    static ssh_channel open_session(ssh_session, void* data) noexcept {
        return session_of(data).open_channel();
    }
    static int exec(ssh_session, ssh_channel, const char* command, void* data) noexcept {
        return session_of(data).record(ChannelRequest{false, session_of(data).whole_command(command), {}})
                   ? 0
                   : 1;
    }
    static int shell(ssh_session, ssh_channel, void* data) noexcept {
        return session_of(data).record(ChannelRequest{true, {}, {}}) ? 0 : 1;
    }
    static int terminal(ssh_session, ssh_channel, const char* type, int columns, int rows, int, int,
                        void* data) noexcept {
        const std::string_view name = type == nullptr ? "" : type;
        return session_of(data).record(RequestedTerminal{terminal_type(name), terminal_size(columns, rows)})
                   ? 0
                   : -1;
    }
    static int new_size(ssh_session, ssh_channel, int columns, int rows, int, int, void* data) noexcept {
        session_of(data).new_size_ = terminal_size(columns, rows);
        return 0;
    }
    static int input(ssh_session, ssh_channel, void*, std::uint32_t unread, int, void* data) noexcept {
        return session_of(data).note_input(unread);
    }
    static void closed(ssh_session, ssh_channel, void* data) noexcept { session_of(data).left_ = true; }
};

ServerSession::ServerSession(KnowsKey knows)
    : knows_(std::move(knows))
    , callbacks_(std::make_unique<Callbacks>()) {
    auto& server = callbacks_->server;
    server.userdata = this;
    server.auth_pubkey_function = Callbacks::auth_pubkey;
    server.channel_open_request_session_function = Callbacks::open_session;
    ssh_callbacks_init(&server);
    auto& channel = callbacks_->channel;
    channel.userdata = this;
    channel.channel_exec_request_function = Callbacks::exec;
    channel.channel_shell_request_function = Callbacks::shell;
    channel.channel_pty_request_function = Callbacks::terminal;
    channel.channel_pty_window_change_function = Callbacks::new_size;
    channel.channel_data_function = Callbacks::input;
    channel.channel_close_function = Callbacks::closed;
    ssh_callbacks_init(&channel);
}

ServerSession::~ServerSession() = default;

void ServerSession::EventDeleter::operator()(ssh_event_struct* event) const noexcept {
    ::ssh_event_free(event);
}

Result<std::unique_ptr<ServerSession>> ServerSession::accept(ServerBind& bind, Fd socket, KnowsKey knows) {
    std::unique_ptr<ServerSession> made(new ServerSession(std::move(knows)));
    TRY(made->start(bind, std::move(socket)));
    return made;
}

Status ServerSession::start(ServerBind& bind, Fd socket) {
    session_ = TRY(bind.take_session());
    event_.reset(::ssh_event_new());
    if (!event_)
        return Error{Code::transient, "out of memory"};
    ssh_session session = session_.get();
    ::ssh_set_message_callback(session, Callbacks::other_message, this);
    if (::ssh_set_server_callbacks(session, &callbacks_->server) != SSH_OK)
        return ssh_error(session, "set up the session");
    acknowledge_at_once(socket.get());
    if (::ssh_bind_accept_fd(bind.handle(), session, socket.release()) != SSH_OK) // the session closes it
        return ssh_error(bind.handle(), "take the connection");
    if (::ssh_handle_key_exchange(session) == SSH_ERROR)
        return ssh_error(session, "begin the key exchange");
    if (::ssh_event_add_session(event_.get(), session) != SSH_OK)
        return ssh_error(session, "watch the connection");
    return ok();
}

int ServerSession::fd() const noexcept {
    return ::ssh_get_fd(session_.get());
}

// libssh wants to hear of POLLOUT after each of its writes; it does so with the next input, or when output
// waits.
short ServerSession::poll_events() const noexcept {
    return (::ssh_get_status(session_.get()) & SSH_WRITE_PENDING) != 0 ? POLLOUT : POLLIN;
}

Status ServerSession::turn() {
    const int result = ::ssh_event_dopoll(event_.get(), 0);
    if (violation_ != nullptr)
        return Error{Code::denied, violation_};
    if (result == SSH_ERROR)
        return ssh_error(session_.get(), "the connection ended");
    TRY(check_open());
    TRY(check_protocol());
    acknowledge_at_once(fd());
    return ok();
}

// After everything that may send: libssh closes the socket on an error and may return a success all the same,
// with its last output pending for ever.
Status ServerSession::check_open() const {
    if (fd() < 0 || (::ssh_get_status(session_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0)
        return ssh_error(session_.get(), "the connection ended");
    return ok();
}

// libssh 0.11 drops input beyond the window, and whatever else it cannot make sense of. It reports success
// and leaves only an error behind. One that was there when the channel was opened did not keep the client
// from its login, and does not count.
Status ServerSession::check_protocol() const {
    ssh_session session = session_.get();
    if (channel_ == nullptr || ::ssh_get_error_code(session) != SSH_FATAL ||
        earlier_error_ == ::ssh_get_error(session))
        return ok();
    auto error = ssh_error(session, "the client does not keep to the protocol");
    error.code = Code::denied;
    return error;
}

bool ServerSession::count_attempt() noexcept {
    if (++attempts_ > max_login_attempts)
        violation_ = "too many login attempts";
    return violation_ == nullptr;
}

bool ServerSession::accept_key(const char* user, ssh_key_struct* key, bool signature_valid) {
    if (!count_attempt() || login_)
        return false;
    auto offered = public_key_of(key);
    if (!offered)
        return false;
    if (known_ != *offered) {
        if (!knows_(*offered))
            return false;
        known_ = *offered;
    }
    if (!signature_valid)
        return true; // only says that a signature would be welcome
    auto fingerprint = fingerprint_of(key);
    if (!fingerprint)
        return false;
    login_ = Login{std::move(*offered), std::move(*fingerprint), user == nullptr ? "" : user};
    return true;
}

ssh_channel_struct* ServerSession::open_channel() {
    if (channel_ != nullptr || !login_)
        return nullptr;
    channel_ = ::ssh_channel_new(session_.get());
    if (channel_ != nullptr && ::ssh_set_channel_callbacks(channel_, &callbacks_->channel) != SSH_OK)
        violation_ = "out of memory";
    earlier_error_ = ::ssh_get_error(session_.get());
    meter_.start(session_.get());
    return channel_;
}

// libssh cuts the command off at its first NUL. A packet that is longer than the command explains had one,
// or holds what RFC 4254 section 6.5 does not have: the NUL is put back, for core/command to refuse. What
// followed it is lost, which is as well.
std::string ServerSession::whole_command(const char* text) const {
    constexpr std::size_t around = 1 + 4 + (4 + 4) + 1 + 4; // type, channel, "exec", wants an answer, length
    std::string command = text == nullptr ? "" : text;
    if (const auto size = meter_.size(); size && *size != around + command.size())
        command += '\0';
    return command;
}

bool ServerSession::record(ChannelRequest request) {
    if (std::exchange(requested_, true))
        return false;
    meter_.stop();
    request_ = std::move(request);
    request_->terminal = terminal_;
    return true;
}

bool ServerSession::record(RequestedTerminal terminal) {
    if (requested_ || terminal_)
        return false;
    terminal_ = std::move(terminal);
    return true;
}

// Input stays in libssh until it is taken, which stops a client at its window. One that goes on regardless is
// thrown out.
int ServerSession::note_input(std::size_t unread) noexcept {
    unread_ = unread;
    if (unread > max_unread_input)
        violation_ = "the client ignores the window of its channel";
    return 0;
}

std::optional<ChannelRequest> ServerSession::take_request() {
    return std::exchange(request_, std::nullopt);
}

std::optional<TerminalSize> ServerSession::take_new_size() {
    return std::exchange(new_size_, std::nullopt);
}

Result<std::string> ServerSession::take_input() {
    std::string input(unread_, '\0');
    const int got = input.empty() ? 0
                                  : ::ssh_channel_read_nonblocking(
                                        channel_, input.data(), static_cast<std::uint32_t>(input.size()), 0);
    if (got < 0 && got != SSH_AGAIN && got != SSH_EOF)
        return ssh_error(session_.get(), "read from the client");
    TRY(check_open());
    input.resize(static_cast<std::size_t>(std::max(got, 0)));
    unread_ -= std::min(unread_, input.size());
    return input;
}

bool ServerSession::input_ended() const noexcept {
    return channel_ != nullptr && unread_ == 0 && ::ssh_channel_is_eof(channel_) != 0;
}

std::size_t ServerSession::room() const noexcept {
    if (channel_ == nullptr || left_ || (::ssh_get_status(session_.get()) & SSH_WRITE_PENDING) != 0)
        return 0;
    return std::min<std::size_t>(::ssh_channel_window_size(channel_), max_chunk);
}

Result<std::size_t> ServerSession::write(std::string_view bytes, bool to_stderr) {
    const auto size = static_cast<std::uint32_t>(std::min(bytes.size(), room()));
    if (size == 0)
        return std::size_t{0};
    const int written = to_stderr ? ::ssh_channel_write_stderr(channel_, bytes.data(), size)
                                  : ::ssh_channel_write(channel_, bytes.data(), size);
    if (written < 0 && written != SSH_AGAIN)
        return ssh_error(session_.get(), "send to the client");
    TRY(check_open());
    return static_cast<std::size_t>(std::max(written, 0));
}

Status ServerSession::announce_refusal() {
    if (::ssh_channel_request_send_exit_signal(channel_, refused_signal.data(), 0, "", "") == SSH_ERROR)
        return ssh_error(session_.get(), "refuse the key");
    return check_open();
}

// libssh queues each message whether or not the socket takes it ("again"), but for a close that finds its end
// of file unsent: so that goes first, and the close is asked for until it is on its way.
Result<bool> ServerSession::finish(int exit_status) {
    if (!std::exchange(finishing_, true)) {
        if (::ssh_channel_request_send_exit_status(channel_, exit_status) == SSH_ERROR ||
            ::ssh_channel_send_eof(channel_) == SSH_ERROR)
            return ssh_error(session_.get(), "end the channel");
    }
    if (::ssh_channel_is_open(channel_) != 0 && ::ssh_channel_close(channel_) == SSH_ERROR)
        return ssh_error(session_.get(), "close the channel");
    TRY(check_open());
    return ::ssh_channel_is_open(channel_) == 0;
}

// Before the login no SSH_MSG_DISCONNECT is sent: a client on libssh 0.10 that waits for an answer to its key
// would wait for ever. A banner says it as well, and the end of the connection is understood by all.
void ServerSession::disconnect(const std::string& why) noexcept {
    const Fd kept(fd() >= 0 ? ::fcntl(fd(), F_DUPFD_CLOEXEC, 0) : -1);
    if (!kept)
        return;
    // Else libssh may only queue it, waiting to hear that the socket takes output.
    ::ssh_set_fd_towrite(session_.get());
    if (login_) {
        channel_ = nullptr; // freed with its connection
        (void)::ssh_session_set_disconnect_message(session_.get(), why.c_str());
        ::ssh_disconnect(session_.get());
    } else if (attempts_ > 0) {
        const Handle<ssh_string_struct, ::ssh_string_free> banner(
            ::ssh_string_from_char((why + "\r\n").c_str()));
        (void)::ssh_send_issue_banner(session_.get(), banner.get());
    }
    let_it_arrive(kept.get());
}

} // namespace pgod::ssh

#include "ssh/client_command.hpp"

#include "ssh/refusal.hpp"
#include "ssh/ssh_error.hpp"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace pgod::ssh {

namespace {

constexpr std::size_t max_chunk = std::size_t{32} << 10; // bytes of one message

struct EventDeleter {
    void operator()(ssh_event_struct* event) const noexcept { ::ssh_event_free(event); }
};
struct ChannelDeleter {
    void operator()(ssh_channel_struct* channel) const noexcept { ::ssh_channel_free(channel); }
};

// Records what libssh reports about the one channel.
struct Receiver {
    const TakeOutput& take;
    CommandEnd end;
    bool took_output = false;
    bool eof = false;
    bool closed = false;

    bool over() const noexcept {
        return closed || end.unwanted || (eof && (end.exit_status || !end.exit_signal.empty()));
    }
    void receive(bool is_stderr, std::string_view bytes) {
        if (end.refused && is_stderr) {
            end.refusal += bytes.substr(0, max_refusal - std::min(max_refusal, end.refusal.size()));
            return;
        }
        took_output = true;
        if (!end.unwanted && !take(is_stderr, bytes))
            end.unwanted = true;
    }
    // A server that has sent output has begun something.
    void note_signal(std::string_view signal) {
        if (signal == refused_signal)
            end.refused = !took_output;
        else
            end.exit_signal = signal.empty() ? "?" : signal;
    }
};

Receiver& receiver(void* self) noexcept {
    return *static_cast<Receiver*>(self);
}

int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr, void* self) noexcept {
    receiver(self).receive(is_stderr != 0, {static_cast<const char*>(data), size});
    return static_cast<int>(size);
}
void on_eof(ssh_session, ssh_channel, void* self) noexcept {
    receiver(self).eof = true;
}
void on_close(ssh_session, ssh_channel, void* self) noexcept {
    receiver(self).closed = true;
}
void on_exit_status(ssh_session, ssh_channel, int status, void* self) noexcept {
    receiver(self).end.exit_status = status & 0xff;
}
void on_exit_signal(ssh_session, ssh_channel, const char* signal, int, const char*, const char*,
                    void* self) noexcept {
    receiver(self).note_signal(signal == nullptr ? "" : signal);
}

Error network(Error error) {
    error.code = Code::transient;
    return error;
}

// From here on libssh does not block: output, input and the terminal's size are waited for together.
class Running {
  public:
    Running(ssh_session session, ssh_channel channel, ssh_event event, const CommandRequest& request)
        : session_(session)
        , channel_(channel)
        , event_(event)
        , request_(request) {
        ::ssh_set_blocking(session, 0);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { ::ssh_set_blocking(session_, 1); }

    // False: the connection is lost.
    bool turn() {
        if (!send())
            return false;
        const bool may_send = !output_waits() && ::ssh_channel_window_size(channel_) > 0;
        const short wanted = output_waits() ? POLLIN | POLLOUT : POLLIN;
        std::array<pollfd, 3> fds{{{::ssh_get_fd(session_), wanted, 0},
                                   {may_send ? request_.input.waits_for() : -1, POLLIN, 0},
                                   {request_.terminal ? request_.terminal->resized : -1, POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), -1) < 0)
            return errno == EINTR;
        if (fds[0].revents != 0 &&
            (::ssh_event_dopoll(event_, 0) == SSH_ERROR || ::ssh_is_connected(session_) == 0))
            return false;
        if (fds[1].revents != 0)
            request_.input.fill();
        if (fds[2].revents != 0)
            follow_terminal();
        return true;
    }

  private:
    bool output_waits() const { return (::ssh_get_status(session_) & SSH_WRITE_PENDING) != 0; }

    // A key exchange or the server's window may take none of it; then it is tried again after the next turn.
    bool send() {
        ClientInput& input = request_.input;
        while (!input.unsent().empty() && !output_waits()) {
            const auto size = std::min<std::size_t>(
                {input.unsent().size(), max_chunk, ::ssh_channel_window_size(channel_)});
            const int sent = size == 0 ? 0
                                       : ::ssh_channel_write(channel_, input.unsent().data(),
                                                             static_cast<std::uint32_t>(size));
            if (sent == 0 || sent == SSH_AGAIN)
                break;
            if (sent < 0)
                return ::ssh_is_connected(session_) != 0; // the channel is closed: its end is on its way
            input.sent(static_cast<std::size_t>(sent));
        }
        if (input.exists() && input.at_end() && !told_end_) {
            told_end_ = true;
            (void)::ssh_channel_send_eof(channel_); // queued, whatever it returns
        }
        return true;
    }

    void follow_terminal() {
        signalfd_siginfo ignored{};
        (void)!::read(request_.terminal->resized, &ignored, sizeof ignored);
        const TerminalSize size = request_.terminal->size();
        (void)::ssh_channel_change_pty_size(channel_, size.columns, size.rows);
    }

    ssh_session session_;
    ssh_channel channel_;
    ssh_event event_;
    const CommandRequest& request_;
    bool told_end_ = false;
};

Status open_channel(ssh_session session, ssh_channel channel, const CommandRequest& request,
                    const Receiver& received) {
    if (::ssh_channel_open_session(channel) != SSH_OK)
        return network(ssh_error(session, "open a channel"));
    if (const auto& terminal = request.terminal) {
        const TerminalSize size = terminal->size();
        if (::ssh_channel_request_pty_size(channel, terminal->type.c_str(), size.columns, size.rows) !=
            SSH_OK)
            return network(ssh_error(session, "ask the server for a terminal"));
    }
    if (::ssh_channel_request_exec(channel, request.line.c_str()) != SSH_OK && !received.over())
        return network(ssh_error(session, "ask the server to run the operation"));
    return ok();
}

} // namespace

Result<CommandEnd> run_command(ssh_session session, const CommandRequest& request, const TakeOutput& take) {
    const std::unique_ptr<ssh_channel_struct, ChannelDeleter> channel(::ssh_channel_new(session));
    if (!channel)
        return Error{Code::internal, "out of memory"};
    Receiver received{take, {}};
    ssh_channel_callbacks_struct callbacks{};
    callbacks.userdata = &received;
    callbacks.channel_data_function = on_data;
    callbacks.channel_eof_function = on_eof;
    callbacks.channel_close_function = on_close;
    callbacks.channel_exit_status_function = on_exit_status;
    callbacks.channel_exit_signal_function = on_exit_signal;
    ssh_callbacks_init(&callbacks);
    if (::ssh_set_channel_callbacks(channel.get(), &callbacks) != SSH_OK)
        return Error{Code::internal, "out of memory"};
    TRY(open_channel(session, channel.get(), request, received));

    // stdout and stderr share one window; both arrive by callback, so neither can stall the other.
    const std::unique_ptr<ssh_event_struct, EventDeleter> event(::ssh_event_new());
    if (!event || ::ssh_event_add_session(event.get(), session) != SSH_OK)
        return Error{Code::internal, "out of memory"};
    {
        Running running(session, channel.get(), event.get(), request);
        while (!received.over() && running.turn()) {
        }
    }
    ::ssh_event_remove_session(event.get(), session);
    ::ssh_remove_channel_callbacks(channel.get(), &callbacks);
    if (!received.over())
        return network(ssh_error(session, "the connection was lost before the operation ended"));
    return std::move(received.end);
}

} // namespace pgod::ssh

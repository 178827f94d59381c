#include "daemon/ssh_child.hpp"

#include "base/text.hpp"
#include "core/command.hpp"
#include "core/exit_status.hpp"
#include "daemon/ssh_input.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/channel_descriptors.hpp"
#include "os/log.hpp"
#include "os/pipe.hpp"
#include "ssh/server_session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto answer_deadline = 5s; // the supervisor's, to read a request and to answer a KeyQuery
constexpr auto drain_deadline = 2s; // after Exit, for processes that outlive the operation and hold its pipes
constexpr auto close_deadline = 5s; // the client's, to agree that the channel is closed
constexpr std::size_t max_chunk = std::size_t{32} * 1024;
constexpr std::size_t max_user_name = 128; // of the name that the client gives itself; it is only echoed

constexpr std::string_view shell_refused =
    "pgod gives no shell; ask for an operation: ssh -p PORT HOST SERVICE//OPERATION [ARG...]\n";
constexpr std::string_view command_too_long = "the command is longer than 8192 bytes; shorten it\n";
constexpr std::string_view interrupted = "interrupted\n";
constexpr std::size_t max_typed_ahead = 4096; // bytes, as a terminal takes
constexpr int exit_interrupted = 130;         // as a shell says it
constexpr std::string_view supervisor_gone = "pgod is stopping\n";
constexpr std::string_view supervisor_confused =
    "internal error: pgod sent what its SSH endpoint cannot read\n";
static_assert(max_command_bytes == 8192);

// The read end of one of the operation's pipes.
struct Stream {
    Fd pipe;
    std::size_t owed = 0; // bytes that were in it when the operation ended: these are waited for at any rate
};

class SshChild {
  public:
    explicit SshChild(SshChildTask task)
        : task_(std::move(task)) {}
    Status serve();

  private:
    Status talk();
    Status react();
    Status wait_and_turn();
    void start_request();
    bool read_supervisor();
    void handle(ipc::SshReply reply, std::vector<Fd> fds);
    bool take_streams(std::vector<Fd> fds);
    void hold(std::string bytes, bool to_stderr);
    void follow_terminal();
    Status take_interrupt();
    void read_stream(std::size_t index);
    Status send_pending();
    bool streams_drained() const;
    bool late() const;
    int milliseconds_left() const;
    bool may_read() const { return pending_.empty() && session_->room() > 0; }
    void end_with(std::string_view sentence, int status);
    std::optional<bool> judgement_of(const PublicKey& key);
    bool knows(const PublicKey& key);

    SshChildTask task_;
    std::unique_ptr<ssh::ServerSession> session_;
    enum class Phase { login, request, running, draining, closing } phase_ = Phase::login;
    std::optional<Clock::time_point> deadline_;
    std::array<Stream, 2> streams_; // standard output, standard error
    SshInput input_;
    std::string typed_ahead_;      // before there was a terminal to type into
    bool raw_client_ = false;      // it asked for a terminal
    Fd terminal_;                  // the operation's, to be told its size
    std::size_t first_stream_ = 0; // who is asked first, in turns: both share one window
    std::string buffer_;           // the one chunk of output
    std::string_view pending_;     // what of it the client has not taken
    bool pending_to_stderr_ = false;
    int exit_status_ = exit_status::internal;
    std::string last_;     // the last words, when the streams are drained
    bool refused_ = false; // …say that this key may not do that
    bool broken_ = false;  // the supervisor did not answer
};

Status SshChild::serve() {
    session_ = TRY(ssh::ServerSession::accept(task_.bind, std::move(task_.socket),
                                              [this](const PublicKey& key) { return knows(key); }));
    deadline_ = Clock::now() + task_.login_deadline;
    auto served = talk();
    if (!served)
        session_->disconnect(served.error().message);
    return served;
}

Status SshChild::talk() {
    while (!session_->left()) {
        TRY(react());
        TRY(wait_and_turn());
    }
    return ok();
}

// Whatever can go on without waiting, in the order in which one thing makes the next possible.
Status SshChild::react() {
    if (broken_)
        return Error{Code::gone, "the supervisor does not answer"};
    if (phase_ == Phase::login && session_->login()) {
        phase_ = Phase::request;
        deadline_ = Clock::now() + task_.login_deadline;
    }
    if (phase_ == Phase::request)
        start_request();
    if (phase_ == Phase::running) {
        TRY(input_.move_from(*session_));
        follow_terminal();
        TRY(take_interrupt());
    }
    TRY(send_pending());
    if (phase_ == Phase::draining && pending_.empty() && !last_.empty() && streams_drained()) {
        streams_ = {};
        if (refused_)
            TRY(session_->announce_refusal());
        hold(std::exchange(last_, {}), true);
        TRY(send_pending());
    }
    if (phase_ == Phase::draining && pending_.empty() && streams_drained()) {
        phase_ = Phase::closing;
        deadline_ = Clock::now() + close_deadline;
    }
    if (phase_ == Phase::closing)
        (void)TRY(session_->finish(exit_status_));
    return ok();
}

Status SshChild::wait_and_turn() {
    const bool reading = may_read();
    const bool listening = phase_ < Phase::draining && pending_.empty();
    std::array<pollfd, 5> polled{{{session_->fd(), session_->poll_events(), 0},
                                  {listening ? task_.supervisor.down.fd() : -1, POLLIN, 0},
                                  {reading ? streams_[0].pipe.get() : -1, POLLIN, 0},
                                  {reading ? streams_[1].pipe.get() : -1, POLLIN, 0},
                                  {phase_ == Phase::running ? input_.waits_for() : -1, POLLOUT, 0}}};
    if (::poll(polled.data(), polled.size(), milliseconds_left()) < 0 && errno != EINTR)
        return errno_error("poll");
    if (polled[0].revents != 0)
        TRY(session_->turn());
    // Words and exit status usually come together, and then leave together.
    for (bool more = polled[1].revents != 0; more && phase_ < Phase::draining && pending_.empty();) {
        more = read_supervisor();
        TRY(send_pending());
    }
    first_stream_ ^= 1;
    for (const std::size_t index : {first_stream_, first_stream_ ^ 1}) {
        if (polled[2 + index].revents != 0 && may_read()) {
            read_stream(index);
            TRY(send_pending());
        }
    }
    if (phase_ != Phase::draining && late())
        return Error{Code::timeout, "the client took too long"};
    return ok();
}

bool SshChild::late() const {
    return deadline_ && Clock::now() >= *deadline_;
}

// For poll(2). A deadline for draining that has passed is not waited for again: then only the client counts.
int SshChild::milliseconds_left() const {
    if (!deadline_ || (phase_ == Phase::draining && late()))
        return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

Status SshChild::send_pending() {
    while (!pending_.empty()) {
        const std::size_t sent = TRY(session_->write(pending_, pending_to_stderr_));
        if (sent == 0)
            break;
        pending_.remove_prefix(sent);
    }
    return ok();
}

void SshChild::start_request() {
    auto request = session_->take_request();
    if (!request)
        return;
    deadline_.reset();
    raw_client_ = request->terminal.has_value();
    if (request->shell)
        return end_with(shell_refused, exit_status::usage);
    if (request->command.size() > max_command_bytes)
        return end_with(command_too_long, exit_status::usage);
    const auto& login = *session_->login();
    ipc::Run run{
        login.key, login.fingerprint, shortened(login.user, max_user_name), std::move(request->command), {}};
    if (const auto& terminal = request->terminal)
        run.terminal = {terminal->type, terminal->size.columns, terminal->size.rows};
    if (!task_.supervisor.up.send(ipc::encode(ipc::SshRequest(std::move(run))), answer_deadline))
        return end_with(supervisor_gone, exit_status::unavailable);
    phase_ = Phase::running;
}

// Nothing of the operation is of use any more.
void SshChild::end_with(std::string_view sentence, int status) {
    streams_ = {};
    input_.close();
    terminal_.reset();
    hold(std::string(sentence), true);
    exit_status_ = status;
    phase_ = Phase::draining;
    deadline_ = Clock::now();
}

// False: there is nothing more to read now.
bool SshChild::read_supervisor() {
    auto frame = os::try_receive_with_descriptors(task_.supervisor.down);
    if (frame && !*frame)
        return false;
    const bool closed = !frame || (*frame)->closed();
    if (phase_ == Phase::request && closed) {
        task_.supervisor.close(); // said when there is a request to answer
        return false;
    }
    if (phase_ != Phase::running) {
        broken_ = true; // nothing is expected, and there is no channel to say it on
        return false;
    }
    auto reply = closed ? Result<ipc::SshReply>(Error{}) : ipc::decode<ipc::SshReply>((*frame)->bytes);
    if (closed)
        end_with(supervisor_gone, exit_status::unavailable);
    else if (!reply)
        end_with(supervisor_confused, exit_status::internal);
    else
        handle(std::move(*reply), std::move((*frame)->fds));
    return true;
}

void SshChild::handle(ipc::SshReply reply, std::vector<Fd> fds) {
    if (std::holds_alternative<ipc::Streams>(reply) && take_streams(std::move(fds)))
        return;
    if (auto* text = std::get_if<ipc::Text>(&reply);
        text != nullptr && text->bytes.size() <= ipc::max_text_bytes) {
        return hold(std::move(text->bytes), text->to_stderr);
    }
    const auto* exit = std::get_if<ipc::Exit>(&reply);
    if (exit == nullptr || exit->status < 0 || exit->status > 255 || exit->last.size() > ipc::max_text_bytes)
        return end_with(supervisor_confused, exit_status::internal);
    exit_status_ = exit->status;
    last_ = exit->last;
    refused_ = exit->refused;
    phase_ = Phase::draining;
    deadline_ = Clock::now() + drain_deadline;
    for (Stream& stream : streams_)
        stream.owed = os::waiting_in(stream.pipe);
}

// One: a terminal. Two: standard output and error. Three: standard input as well.
bool SshChild::take_streams(std::vector<Fd> fds) {
    if (fds.empty() || fds.size() > 3 || streams_[0].pipe || streams_[1].pipe)
        return false;
    for (const Fd& fd : fds)
        (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    if (fds.size() == 1) {
        terminal_ = Fd(::fcntl(fds[0].get(), F_DUPFD_CLOEXEC, 0));
        input_.open(Fd(::fcntl(fds[0].get(), F_DUPFD_CLOEXEC, 0)), SshInput::Kind::terminal);
        input_.begin_with(std::move(typed_ahead_));
    } else {
        streams_[1].pipe = std::move(fds[1]);
    }
    if (fds.size() == 3)
        input_.open(std::move(fds[2]), SshInput::Kind::pipe);
    streams_[0].pipe = std::move(fds[0]);
    return true;
}

// Becomes what is sent next.
void SshChild::hold(std::string bytes, bool to_stderr) {
    buffer_ = raw_client_ ? with_carriage_returns(bytes) : std::move(bytes);
    pending_ = buffer_;
    pending_to_stderr_ = to_stderr;
}

void SshChild::follow_terminal() {
    const auto size = session_->take_new_size();
    if (!size || !terminal_)
        return;
    const winsize window{size->rows, size->columns, 0, 0};
    (void)::ioctl(terminal_.get(), TIOCSWINSZ, &window);
}

Status SshChild::take_interrupt() {
    constexpr char control_c = '\x03';
    if (!raw_client_ || terminal_ || session_->unread() == 0 || typed_ahead_.size() > max_typed_ahead)
        return ok();
    typed_ahead_ += TRY(session_->take_input());
    if (typed_ahead_.find(control_c) != std::string::npos)
        end_with(interrupted, exit_interrupted);
    return ok();
}

// What was in the pipes when the operation ended is sent however slowly the client takes it; a process that
// still holds them, and may write for ever, gets two seconds.
bool SshChild::streams_drained() const {
    return std::all_of(streams_.begin(), streams_.end(), [this](const Stream& stream) {
        return !stream.pipe || (late() && (stream.owed == 0 || os::waiting_in(stream.pipe) == 0));
    });
}

void SshChild::read_stream(std::size_t index) {
    Stream& stream = streams_[index];
    const std::size_t size = std::min(session_->room(), max_chunk);
    buffer_.resize(max_chunk);
    const ssize_t got = ::read(stream.pipe.get(), buffer_.data(), size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) { // the end; EIO is how a terminal says it
        stream = {};
        return;
    }
    const auto taken = static_cast<std::size_t>(got);
    stream.owed -= std::min(stream.owed, taken);
    if (raw_client_ && !terminal_)
        return hold(buffer_.substr(0, taken), index == 1);
    pending_ = std::string_view(buffer_).substr(0, taken);
    pending_to_stderr_ = index == 1;
}

// nullopt: nobody answered.
std::optional<bool> SshChild::judgement_of(const PublicKey& key) {
    const auto end = Clock::now() + answer_deadline;
    if (broken_ ||
        !task_.supervisor.up.send(ipc::encode(ipc::SshRequest(ipc::KeyQuery{key})), answer_deadline))
        return std::nullopt;
    pollfd ready{task_.supervisor.down.fd(), POLLIN, 0};
    int answered = 0;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
        answered = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    } while (answered < 0 && errno == EINTR);
    auto frame = task_.supervisor.down.try_receive();
    if (answered == 1 && frame && *frame && !(*frame)->closed()) {
        const auto reply = ipc::decode<ipc::SshReply>((*frame)->bytes);
        if (const auto* answer = reply ? std::get_if<ipc::KeyAnswer>(&*reply) : nullptr)
            return answer->known;
    }
    return std::nullopt;
}

// A key that nobody judged is not refused: what libssh would say of it does not leave any more.
bool SshChild::knows(const PublicKey& key) {
    const auto known = judgement_of(key);
    if (!known) {
        broken_ = true;
        (void)::shutdown(session_->fd(), SHUT_RDWR);
    }
    return known.value_or(false);
}

} // namespace

void serve_connection(SshChildTask task) noexcept {
    const std::string peer = task.peer;
    try {
        SshChild child(std::move(task));
        const auto served = child.serve();
        os::log_debug("{}: {}", peer, served ? "done" : served.error().message);
        ::_exit(exit_status::done); // without tidying up: the kernel does, and does not copy pages for it
    } catch (const std::exception& bug) { // of memory, most likely
        os::log_error("{}: {}", peer, bug.what());
    }
    ::_exit(exit_status::internal);
}

} // namespace pgod::daemon

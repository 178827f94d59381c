#include "client/on_this_host.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "client/interrupt.hpp"
#include "client/output.hpp"
#include "client/raw_terminal.hpp"
#include "client/say.hpp"
#include "core/exit_status.hpp"
#include "ipc/control_messages.hpp"
#include "os/channel_descriptors.hpp"
#include "os/control_socket.hpp"
#include "os/pipe.hpp"
#include "ssh/client_input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

namespace pgod::client {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto drain_deadline = 2s; // for processes that outlive the operation and hold its pipes
constexpr std::size_t max_chunk = std::size_t{32} * 1024;

// Own before the host's: whoever runs a pgod of their own means that.
std::string path_for(const Options& options) {
    if (!options.control.empty())
        return options.control;
    if (const auto path = environment("PGOCTL_CONTROL"))
        return *path;
    if (const auto runtime = environment("XDG_RUNTIME_DIR")) {
        std::string own = os::control_socket_of_user(*runtime);
        if (::access(own.c_str(), F_OK) == 0)
            return own;
    }
    const std::string host = os::control_socket_of_host();
    return ::geteuid() == 0 ? host : os::users_socket_beside(host);
}

// Who listens gets what is typed into `exec`.
Result<os::Channel> connect(const std::string& path) {
    Fd fd = TRY(os::connect_to_control(path));
    const uid_t owner = TRY(os::peer_of(fd.get()));
    if (owner != 0 && owner != ::geteuid())
        return Error{Code::denied,
                     fmt::format("{} belongs to uid {}, which is neither root nor you", path, owner)};
    return os::Channel(std::move(fd));
}

class OnThisHost {
  public:
    OnThisHost(const Plan& plan, os::Channel channel)
        : plan_(plan)
        , channel_(std::move(channel))
        , output_(plan.ends_with_client)
        , input_(plan.takes_input ? STDIN_FILENO : -1) {}

    int run() {
        ipc::Ask ask{plan_.request, {}};
        std::optional<RawTerminal> raw;
        if (plan_.terminal) {
            const TerminalSize size = RawTerminal::size();
            ask.terminal = {environment("TERM").value_or("dumb"), size.columns, size.rows};
            raw.emplace();
            resized_ = raw->resized();
        }
        if (!plan_.ends_with_client)
            when_interrupted(goes_on(status_command(plan_)), exit_status::busy);
        if (plan_.progress)
            output_.show_progress();
        // Where it is refused at once, what pgod said instead is still to be read.
        (void)channel_.send(ipc::encode(ipc::ControlRequest(std::move(ask))));
        while (!over())
            turn();
        when_interrupted({}, 0);
        output_.end_progress();
        raw.reset();
        return status();
    }

  private:
    struct Stream {
        Fd fd;
        std::size_t owed = 0; // bytes that were in it when the operation ended: these are waited for
    };

    bool over() const {
        if (lost_ || unwanted_)
            return true;
        return end_ && std::all_of(streams_.begin(), streams_.end(), [this](const Stream& stream) {
                   return !stream.fd || (Clock::now() >= deadline_ && stream.owed == 0);
               });
    }

    int status() {
        if (const auto failure = output_.status_of_failure(unwanted_))
            return *failure;
        if (lost_ || !end_) {
            say("pgod ended the connection before the operation was over; it may be stopping, or of another "
                "version than pgoctl");
            return exit_status::unavailable;
        }
        say_raw(end_->last);
        return end_->status;
    }

    void turn() {
        const bool sending = input_to_ && !input_.unsent().empty();
        std::array<pollfd, 6> polled{{{end_ ? -1 : channel_.fd(), POLLIN, 0},
                                      {streams_[0].fd.get(), POLLIN, 0},
                                      {streams_[1].fd.get(), POLLIN, 0},
                                      {input_to_ ? input_.waits_for() : -1, POLLIN, 0},
                                      {sending ? input_to_.get() : -1, POLLOUT, 0},
                                      {resized_, POLLIN, 0}}};
        constexpr int soon = 100; // milliseconds
        if (::poll(polled.data(), polled.size(), end_ ? soon : -1) < 0)
            return;
        for (const std::size_t index : {std::size_t{0}, std::size_t{1}})
            if (polled[1 + index].revents != 0)
                read_stream(index);
        if (polled[0].revents != 0)
            read_channel();
        if (polled[3].revents != 0)
            input_.fill();
        if (polled[4].revents != 0)
            write_input();
        if (polled[5].revents != 0)
            follow_terminal();
        if (input_to_ && input_.at_end() && !plan_.terminal)
            input_to_.reset(); // which is how the command learns of it
    }

    void read_channel() {
        auto frame = os::try_receive_with_descriptors(channel_);
        if (frame && !*frame)
            return;
        auto reply = !frame || (*frame)->closed() ? Result<ipc::SshReply>(Error{})
                                                  : ipc::decode<ipc::SshReply>((*frame)->bytes);
        if (!reply || !take(*reply, std::move((*frame)->fds)))
            lost_ = true;
    }

    bool take(ipc::SshReply& reply, std::vector<Fd> fds) {
        if (const auto* text = std::get_if<ipc::Text>(&reply)) {
            hand_on(text->to_stderr, plan_.terminal ? with_carriage_returns(text->bytes) : text->bytes);
            return true;
        }
        if (std::holds_alternative<ipc::Streams>(reply))
            return take_streams(std::move(fds));
        auto* exit = std::get_if<ipc::Exit>(&reply);
        if (exit == nullptr || exit->status < 0 || exit->status > 255)
            return false;
        end_ = std::move(*exit);
        input_to_.reset();
        deadline_ = Clock::now() + drain_deadline;
        for (Stream& stream : streams_)
            stream.owed = os::waiting_in(stream.fd);
        return true;
    }

    // One: a terminal. Two: standard output and error. Three: standard input as well.
    bool take_streams(std::vector<Fd> fds) {
        if (fds.empty() || fds.size() > 3 || streams_[0].fd || streams_[1].fd)
            return false;
        if (fds.size() == 1)
            input_to_ = Fd(::fcntl(fds[0].get(), F_DUPFD_CLOEXEC, 0));
        if (fds.size() == 3)
            input_to_ = std::move(fds[2]);
        if (fds.size() > 1)
            streams_[1].fd = std::move(fds[1]);
        streams_[0].fd = std::move(fds[0]);
        if (input_to_)
            (void)::fcntl(input_to_.get(), F_SETFL, ::fcntl(input_to_.get(), F_GETFL) | O_NONBLOCK);
        return true;
    }

    void read_stream(std::size_t index) {
        Stream& stream = streams_[index];
        std::array<char, max_chunk> chunk;
        const ssize_t got = ::read(stream.fd.get(), chunk.data(), chunk.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (got <= 0) { // the end; EIO is how a terminal says it
            stream = {};
            return;
        }
        const auto taken = static_cast<std::size_t>(got);
        stream.owed -= std::min(stream.owed, taken);
        hand_on(index == 1, {chunk.data(), taken});
    }

    void hand_on(bool is_stderr, std::string_view bytes) {
        if (!output_.take(is_stderr, bytes))
            unwanted_ = true;
    }

    void write_input() {
        const std::string_view bytes = input_.unsent();
        const ssize_t written = ::write(input_to_.get(), bytes.data(), std::min(bytes.size(), max_chunk));
        if (written > 0)
            input_.sent(static_cast<std::size_t>(written));
        else if (errno != EAGAIN && errno != EINTR)
            input_to_.reset(); // the command reads no more
    }

    void follow_terminal() {
        signalfd_siginfo ignored{};
        (void)!::read(resized_, &ignored, sizeof ignored);
        const TerminalSize size = RawTerminal::size();
        const winsize window{size.rows, size.columns, 0, 0};
        if (input_to_)
            (void)::ioctl(input_to_.get(), TIOCSWINSZ, &window);
    }

    const Plan& plan_;
    os::Channel channel_;
    Output output_;
    ssh::ClientInput input_;
    Fd input_to_;                     // a pipe's write end, or the terminal's master
    std::array<Stream, 2> streams_{}; // standard output, standard error
    int resized_ = -1;
    std::optional<ipc::Exit> end_;
    Clock::time_point deadline_{}; // once it has ended
    bool lost_ = false;
    bool unwanted_ = false; // by the reader of the output
};

} // namespace

int run_on_this_host(const Plan& plan) {
    const std::string path = path_for(plan.options);
    auto channel = connect(path);
    if (!channel) {
        say(channel.error().code == Code::gone
                ? fmt::format("no pgod listens on {}: is it running? To ask another host write "
                              "HOST:SERVICE//OPERATION",
                              path)
                : channel.error().message);
        return exit_status::unavailable;
    }
    return OnThisHost(plan, std::move(*channel)).run();
}

} // namespace pgod::client

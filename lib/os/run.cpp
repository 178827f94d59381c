#include "os/run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace pgod::os {

namespace {

using Clock = std::chrono::steady_clock;

// A grandchild may hold a pipe after the child ended. We wait this long for each piece that it writes, and no
// longer than the second time for all of them: a grandchild that writes on and on would keep us forever.
constexpr std::chrono::milliseconds drain_patience{500};
constexpr std::chrono::milliseconds longest_drain{5'000};

struct Pipe {
    Fd read_end;
    Fd write_end;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    Pipe pipe{Fd(ends[0]), Fd(ends[1])};
    return pipe;
}

Status set_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return errno_error("set a pipe non-blocking");
    return ok();
}

bool has_target(const SpawnRequest& spawn, int to) {
    return std::any_of(spawn.descriptors.begin(), spawn.descriptors.end(),
                       [to](const auto& descriptor) { return descriptor.to == to; });
}

// One run, from spawn to the last byte.
class Watch {
  public:
    Watch(const RunRequest& request, Child child, Fd input, Fd output, Fd errors)
        : request_(request)
        , child_(std::move(child))
        , input_(std::move(input))
        , output_(std::move(output))
        , errors_(std::move(errors))
        , deadline_(Clock::now() + request.deadline) {}

    Result<RunResult> to_the_end() {
        while (!ended_ || output_ || errors_) {
            std::array<pollfd, 5> fds{{
                {ended_ ? -1 : child_.pidfd(), POLLIN, 0},
                {output_.get(), POLLIN, 0},
                {errors_.get(), POLLIN, 0},
                {input_.get(), POLLOUT, 0},
                {ended_ || result_.cancelled ? -1 : request_.cancel_fd, POLLIN | POLLHUP, 0},
            }};
            const int ready = ::poll(fds.data(), fds.size(), milliseconds_left());
            if (ready < 0 && errno != EINTR)
                return errno_error("poll");
            if (!on_deadline(ready == 0))
                break;
            if (fds[1].revents != 0)
                read_stream(output_, result_.output);
            if (fds[2].revents != 0)
                read_stream(errors_, result_.errors);
            if (fds[3].revents != 0)
                write_input();
            if (fds[4].revents != 0) {
                result_.cancelled = true;
                begin_ending();
            }
            if (fds[0].revents != 0)
                on_exit();
        }
        return std::move(result_);
    }

  private:
    int milliseconds_left() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
        return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
    }

    // false: we wait for nothing more. `idle`: no descriptor is ready. What the child wrote before it ended
    // is read even when this process stood still for longer than its deadlines; heirs get no such credit.
    bool on_deadline(bool idle) {
        if (Clock::now() < deadline_)
            return true;
        if (ended_)
            return !idle && unread_ > 0;
        if (!ending_) {
            result_.timed_out = true;
            begin_ending();
        } else {
            child_.signal_group(SIGKILL);
            deadline_ = Clock::now() + request_.grace;
        }
        return true;
    }

    void begin_ending() {
        ending_ = true;
        child_.signal_group(SIGTERM);
        deadline_ = Clock::now() + request_.grace;
    }

    void on_exit() {
        // The group is signalled while its leader is unreaped: what it left behind goes with it.
        if (ending_)
            child_.signal_group(SIGKILL);
        result_.wait_status = child_.reap();
        ended_ = true;
        input_.reset();
        unread_ = waiting_in(output_) + waiting_in(errors_);
        drain_end_ = Clock::now() + longest_drain;
        deadline_ = Clock::now() + drain_patience;
    }

    static std::size_t waiting_in(const Fd& stream) {
        int bytes = 0;
        return stream && ::ioctl(stream.get(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
    }

    void read_stream(Fd& stream, std::string& kept) {
        std::array<char, 16 * 1024> buffer;
        const ssize_t size = ::read(stream.get(), buffer.data(), buffer.size());
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (size <= 0) {
            stream.reset();
            return;
        }
        if (ended_) {
            unread_ -= std::min(unread_, static_cast<std::size_t>(size));
            deadline_ = std::min(Clock::now() + drain_patience, drain_end_);
        }
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
        if (request_.on_output) {
            request_.on_output(bytes);
            return;
        }
        const std::size_t room = request_.max_output - std::min(request_.max_output, kept.size());
        kept.append(bytes.substr(0, room));
        result_.truncated |= bytes.size() > room;
    }

    void write_input() {
        const ssize_t size =
            ::write(input_.get(), request_.input.data() + written_, request_.input.size() - written_);
        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (size > 0)
            written_ += static_cast<std::size_t>(size);
        if (size < 0 || written_ == request_.input.size())
            input_.reset();
    }

    const RunRequest& request_;
    Child child_;
    Fd input_;
    Fd output_;
    Fd errors_;
    Clock::time_point deadline_;
    RunResult result_;
    Clock::time_point drain_end_;
    std::size_t written_ = 0;
    std::size_t unread_ = 0; // bytes that were in the pipes when the child ended
    bool ending_ = false;
    bool ended_ = false;
};

} // namespace

Result<RunResult> run(const RunRequest& request) {
    SpawnRequest spawn_request = request.spawn;
    Pipe input;
    Pipe output;
    Pipe errors;
    if (!request.input.empty() && !has_target(spawn_request, 0)) {
        input = TRY(make_pipe());
        TRY(set_nonblocking(input.write_end.get()));
        spawn_request.descriptors.push_back({input.read_end.get(), 0});
    }
    if (!has_target(spawn_request, 1)) {
        output = TRY(make_pipe());
        spawn_request.descriptors.push_back({output.write_end.get(), 1});
    }
    if (!has_target(spawn_request, 2)) {
        errors = TRY(make_pipe());
        spawn_request.descriptors.push_back({errors.write_end.get(), 2});
    }
    Child child = TRY(spawn(spawn_request));
    input.read_end.reset();
    output.write_end.reset();
    errors.write_end.reset();
    // A write to a child that does not read its input must not kill us.
    (void)::signal(SIGPIPE, SIG_IGN);
    return Watch(request, std::move(child), std::move(input.write_end), std::move(output.read_end),
                 std::move(errors.read_end))
        .to_the_end();
}

} // namespace pgod::os

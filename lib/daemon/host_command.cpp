#include "daemon/host_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto patience_with_the_killed = 5s; // one that hangs in the kernel is left behind

} // namespace

Result<std::unique_ptr<HostCommand>> HostCommand::start(EventLoop& loop, os::SpawnRequest request,
                                                        std::chrono::milliseconds deadline, Done done) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        return errno_error("make a pipe");
    Fd output(ends[0]);
    const Fd theirs(ends[1]);
    (void)::fcntl(theirs.get(), F_SETFL, 0);
    request.descriptors.push_back({theirs.get(), STDOUT_FILENO});
    request.descriptors.push_back({theirs.get(), STDERR_FILENO});
    request.die_with_parent = true;
    auto child = TRY(os::spawn(request));
    return std::unique_ptr<HostCommand>(
        new HostCommand(loop, std::move(child), std::move(output), deadline, std::move(done)));
}

HostCommand::HostCommand(EventLoop& loop, os::Child child, Fd output, std::chrono::milliseconds deadline,
                         Done done)
    : loop_(loop)
    , child_(std::move(child))
    , output_(std::move(output))
    , done_(std::move(done))
    , printed_(loop.watch(output_.get(), [this] { on_output(); }))
    , ended_(loop.watch(child_.pidfd(), [this] { finish(); }))
    , deadline_(loop.after(deadline, [this] { on_deadline(); })) {}

void HostCommand::on_output() {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::read(output_.get(), bytes.data(), bytes.size());
    if (size > 0)
        end_.output.append(bytes.data(),
                           std::min(static_cast<std::size_t>(size), max_output - end_.output.size()));
    else if (size == 0)
        printed_.cancel();
}

void HostCommand::on_deadline() {
    if (end_.timed_out)
        return finish();
    end_.timed_out = true;
    child_.signal_group(SIGKILL);
    deadline_ = loop_.after(patience_with_the_killed, [this] { on_deadline(); });
}

void HostCommand::finish() {
    ended_.cancel();
    deadline_.cancel();
    constexpr int most_reads = 64; // what somebody else still writes there is not waited for
    for (int i = 0; i < most_reads && printed_.active(); ++i)
        on_output();
    printed_.cancel();
    child_.signal_group(SIGKILL); // what it left behind
    if (const auto status = child_.try_reap())
        end_.wait_status = *status;
    else
        child_.kill_and_forget();
    const Done done = std::move(done_);
    const End end = std::move(end_);
    done(end);
}

} // namespace pgod::daemon

#include "daemon/worker.hpp"

#include "core/exit_status.hpp"
#include "daemon/program_path.hpp"
#include "daemon/work_role.hpp"
#include "ipc/believable.hpp"
#include "os/log.hpp"
#include "os/pipe.hpp"
#include "os/secret_file.hpp"
#include "os/users.hpp"

#include <signal.h>
#include <unistd.h>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

// A worker keeps its own deadlines; this one is for a worker that does not.
constexpr auto overtime = 10min;
constexpr auto cancel_patience = 10s; // `exec` ends what runs inside the container meanwhile

// A worker runs as the service's user, who can write into its pipe as well.
constexpr unsigned max_frames_at_once = 64;
constexpr unsigned max_frames = 1000; // of one job; an honest one sends a dozen

} // namespace

Result<std::unique_ptr<Worker>> Worker::start(EventLoop& loop, const ipc::WorkJob& job, const Identity& user,
                                              Streams streams, Done done, Seen seen) {
    const std::string program = TRY(program_path("pgod-work"));
    TRY(os::confirm_user(user));
    TRY(os::ensure_runtime_directory(user));
    const Fd order = TRY(os::sealed_file(ipc::encode(ipc::WorkRequest(job))));
    auto report = TRY(os::make_frame_pipe());
    os::Pipe gate;
    if (job.kind == ipc::WorkKind::deploy)
        gate = TRY(os::make_pipe());
    os::SpawnRequest request;
    request.program = program;
    request.argv = {"pgod-work", job.service};
    request.env = os::user_environment(user);
    if (user.uid != ::geteuid())
        request.become = user;
    request.descriptors.push_back({order.get(), work_order_descriptor});
    request.descriptors.push_back({report.writer.get(), work_report_descriptor});
    if (gate.read_end)
        request.descriptors.push_back({gate.read_end.get(), work_gate_descriptor});
    if (streams.input)
        request.descriptors.push_back({streams.input.get(), STDIN_FILENO});
    if (streams.output)
        request.descriptors.push_back({streams.output.get(), STDOUT_FILENO});
    if (streams.errors)
        request.descriptors.push_back({streams.errors.get(), STDERR_FILENO});
    if (streams.secrets.env)
        request.descriptors.push_back({streams.secrets.env.get(), env_secrets_descriptor});
    if (streams.secrets.registry_auth)
        request.descriptors.push_back({streams.secrets.registry_auth.get(), registry_auth_descriptor});
    if (streams.secrets.secrets)
        request.descriptors.push_back({streams.secrets.secrets.get(), secrets_descriptor});
    auto child = TRY(os::spawn(request));
    return std::unique_ptr<Worker>(new Worker(loop, std::move(child), std::move(report.reader),
                                              std::move(gate.write_end), job.deadline + overtime,
                                              std::move(done), std::move(seen)));
}

Worker::Worker(EventLoop& loop, os::Child child, os::FrameReader report, Fd gate,
               std::chrono::milliseconds deadline, Done done, Seen seen)
    : loop_(loop)
    , child_(std::move(child))
    , report_(std::move(report))
    , gate_(std::move(gate))
    , done_(std::move(done))
    , seen_(std::move(seen))
    , reports_(loop.watch(report_.fd(), [this] { on_report(max_frames_at_once); }))
    , exit_(loop.watch(child_.pidfd(), [this] { on_exit(); }))
    , deadline_(loop.after(deadline, [this] {
        overdue_ = true;
        cancel();
    })) {}

// Only when pgod stops, or with a process that has ended. It is asked, not killed: `exec` has something
// inside a container to end. Nobody waits for it.
Worker::~Worker() {
    child_.signal_group(SIGTERM);
    (void)child_.try_reap();
    child_.release();
}

void Worker::cancel() {
    child_.signal_group(SIGTERM);
    deadline_ = loop_.after(cancel_patience, [this] { child_.signal_group(SIGKILL); });
}

void Worker::leave_alone() {
    child_.release();
    gate_.reset();
    reports_.cancel();
    exit_.cancel();
    deadline_.cancel();
}

// What is left in the pipe after `limit` frames waits for the loop's next round, and others have their
// turn.
void Worker::on_report(unsigned limit) {
    for (unsigned i = 0; i < limit; ++i) {
        auto frame = report_.try_receive();
        if (frame && !*frame)
            return;
        if (frame && (*frame)->closed()) {
            reports_.cancel();
            return;
        }
        auto report = frame ? ipc::decode<ipc::WorkReport>((*frame)->bytes)
                            : Result<ipc::WorkReport>(std::move(frame).error());
        auto* done = report ? std::get_if<ipc::WorkDone>(&*report) : nullptr;
        if (!report || ++frames_ > max_frames || (done != nullptr && result_))
            return end_liar();
        if (!ipc::believable(*report))
            return end_liar();
        if (done != nullptr)
            result_ = std::move(*done);
        else if (seen_)
            seen_(std::move(*report));
    }
}

void Worker::end_liar() {
    os::log_error("a worker broke the protocol and was ended");
    result_.reset();
    reports_.cancel();
    report_.close();
    child_.signal_group(SIGKILL);
}

void Worker::on_exit() {
    if (reports_.active())
        on_report(max_frames + 1);
    reports_.cancel();
    exit_.cancel();
    deadline_.cancel();
    // What a worker left behind that did not end well; a container's own processes have groups of their own.
    if (!result_)
        child_.signal_group(SIGKILL);
    const int wait_status = child_.reap();
    if (!result_) {
        result_.emplace();
        result_->exit_status = exit_status::internal;
        result_->error = Error{Code::internal, os::exit_code_of(wait_status) == os::not_started
                                                   ? "the worker could not be started as the service's user"
                                                   : "the worker " + os::describe_wait_status(wait_status) +
                                                         " before it had finished; see pgod's log"};
    }
    // The owner may destroy us in here.
    const Done done = std::move(done_);
    done(std::move(*result_));
}

} // namespace pgod::daemon

#include "daemon/work_role.hpp"

#include "base/text.hpp"
#include "compose/deployment.hpp"
#include "compose/deployment_log.hpp"
#include "compose/examine.hpp"
#include "compose/exec.hpp"
#include "compose/fetch.hpp"
#include "compose/heal.hpp"
#include "compose/leftover.hpp"
#include "compose/logs.hpp"
#include "compose/observe.hpp"
#include "compose/operations.hpp"
#include "compose/preview.hpp"
#include "compose/read_directory.hpp"
#include "compose/rollback.hpp"
#include "compose/survey.hpp"
#include "core/exit_status.hpp"
#include "core/stop_grace.hpp"
#include "daemon/program_path.hpp"
#include "daemon/secret_files.hpp"
#include "ipc/work_messages.hpp"
#include "os/frame_pipe.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"
#include "os/secret_file.hpp"
#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <utility>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;

constexpr auto longest_job = std::chrono::hours(3);
constexpr auto default_deadline = 30min + stops_of_a_switch;
constexpr std::chrono::milliseconds look_interval = 5s; // at the gate
constexpr std::size_t least_redacted_line = 8;          // bytes; shorter ones stand in many texts
constexpr auto report_patience = 5s; // a supervisor that does not read its reports gets none

compose::Job job_of(const ipc::WorkJob& request) {
    compose::Job job;
    job.service = request.service;
    job.commit = request.commit;
    job.deployment = request.deployment;
    job.force = request.force;
    job.json = request.json;
    job.follow = request.follow;
    job.compose_files = request.compose;
    job.profiles = request.profiles;
    job.env = request.env;
    job.ports = request.ports;
    job.volumes = request.volumes;
    job.networks = request.networks;
    job.allow = request.allow;
    job.domains = request.domains;
    job.taken = request.taken;
    job.neighbours = request.neighbours;
    job.nesting = request.nesting;
    job.start_timeout = request.start_timeout;
    job.args = request.args;
    job.terminal = request.terminal;
    const std::chrono::milliseconds given = request.deadline > 0ms ? request.deadline : default_deadline;
    job.deadline = std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(given, longest_job);
    job.environment = os::user_environment(os::current_user());
    return job;
}

compose::JobResult watch(const compose::Work& work, bool wait) {
    if (wait) // the lock is let go at once: looking needs none
        (void)compose::lock_service(work);
    return compose::observe(work);
}

compose::JobResult carry_out(const ipc::WorkJob& request, const compose::Work& work) {
    switch (request.kind) {
    case ipc::WorkKind::deploy:
        return compose::deploy(work);
    case ipc::WorkKind::pull:
        return compose::pull_commit(work);
    case ipc::WorkKind::build:
        return compose::build_commit(work);
    case ipc::WorkKind::down:
        return compose::take_down(work);
    case ipc::WorkKind::start:
        return compose::change_state(work, compose::Verb::start);
    case ipc::WorkKind::stop:
        return compose::change_state(work, compose::Verb::stop);
    case ipc::WorkKind::restart:
        return compose::change_state(work, compose::Verb::restart);
    case ipc::WorkKind::ps:
        return compose::list_containers(work);
    case ipc::WorkKind::logs:
        return compose::show_logs(work);
    case ipc::WorkKind::exec:
        return compose::run_inside(work);
    case ipc::WorkKind::log:
        return compose::show_deployment_log(work);
    case ipc::WorkKind::observe:
        return watch(work, request.wait);
    case ipc::WorkKind::rollback:
        return compose::roll_back(work);
    case ipc::WorkKind::plan:
        return compose::show_plan(work);
    case ipc::WorkKind::check:
        return compose::check_commit(work);
    case ipc::WorkKind::heal:
        return compose::heal(work);
    case ipc::WorkKind::survey:  // of several services: see survey_all()
    case ipc::WorkKind::examine: // of none: see examine_user()
        break;
    }
    return {};
}

// The sentence goes to pgod's log, its state and every client that asks for the status.
ipc::WorkDone done_of(compose::JobResult result, const compose::Output& output) {
    ipc::WorkDone done;
    done.exit_status = result.exit_status;
    done.changed = result.changed;
    done.outcome = result.outcome;
    done.error = std::move(result.error);
    if (done.error)
        done.error->message = output.redacted(done.error->message);
    done.running_commit = std::move(result.running_commit);
    done.deployment = result.deployment;
    done.health = result.health;
    done.containers = std::move(result.containers);
    done.urls = std::move(result.urls);
    for (const auto& note : result.notes)
        done.notes.push_back(output.redacted(note));
    return done;
}

// The job did not begin: podman or the service's directory is missing. That may pass, and no commit is to
// blame.
ipc::WorkDone failure(Error error) {
    ipc::WorkDone done;
    done.exit_status = exit_status::internal;
    if (error.code != Code::internal)
        error.code = Code::transient;
    done.error = std::move(error);
    return done;
}

void report(const os::FrameWriter& reports, const ipc::WorkReport& message) {
    (void)reports.send(ipc::encode(message), report_patience); // a closed pipe: see the header
}

// What keeps a deployment from changing what runs until the supervisor lets it. The supervisor closes its end
// of the pipe; so does its end, since a deployment outlives it.
class Gate {
  public:
    explicit Gate(Fd fd)
        : fd_(std::move(fd)) {}

    // `lost`: whether what runs has ended or is missing. Nobody else can look while we hold the service's
    // lock.
    Status pass(const os::FrameWriter& reports, const compose::Job& job, const std::function<bool()>& lost) {
        if (!fd_)
            return ok();
        if (!std::exchange(told_, true))
            report(reports, ipc::AtGate{});
        const auto until = job.deadline - compose::time_to_switch(job);
        pollfd ended{fd_.get(), POLLIN, 0};
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
            const int ready = ::poll(
                &ended, 1, static_cast<int>(std::clamp<long long>(left.count(), 0, look_interval.count())));
            if (ready > 0)
                break;
            if (ready == 0 && Clock::now() >= until)
                return Error{Code::transient, "other deployments left no room on this host in time "
                                              "(parallel); it will be tried again"};
            if (ready == 0 && lost()) // again and again: the supervisor may have had no place to heal
                report(reports, ipc::AtGate{true});
        }
        fd_.reset();
        return ok();
    }

  private:
    Fd fd_; // none: it is open
    bool told_ = false;
};

// Before anything else may get its number; absent: open.
Gate take_gate() {
    Fd fd(::fcntl(work_gate_descriptor, F_GETFD) >= 0 ? work_gate_descriptor : -1);
    if (fd)
        (void)::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    return Gate(std::move(fd));
}

Result<ipc::WorkDone> survey_all(const ipc::WorkJob& request, const os::FrameWriter& reports) {
    const auto podman = TRY(compose::Podman::find(os::user_environment(os::current_user()),
                                                  compose::leftover_mark(request.service)));
    compose::survey(podman, request.directory, request.args, [&reports](compose::Seen seen) {
        report(reports,
               ipc::Surveyed{std::move(seen.service), seen.busy, seen.failed, std::move(seen.running_commit),
                             seen.health, seen.lost, seen.accident, std::move(seen.problem)});
    });
    ipc::WorkDone done;
    done.exit_status = exit_status::done;
    return done;
}

Result<ipc::WorkDone> examine_user(const ipc::WorkJob& request, const os::FrameWriter& reports) {
    const auto user = os::current_user();
    const auto podman =
        TRY(compose::Podman::find(os::user_environment(user), compose::leftover_mark(request.service)));
    const auto builder = TRY(program_path("pgod-build"));
    compose::examine(podman, builder, user, [&reports](compose::Examined one) {
        report(reports, ipc::Examined{std::move(one.check), std::move(one.problem), std::move(one.remedy)});
    });
    ipc::WorkDone done;
    done.exit_status = exit_status::done;
    return done;
}

// Of the descriptors that the supervisor gave along with the job.
Status take_secrets(compose::Job& job) {
    if (::fcntl(env_secrets_descriptor, F_GETFD) >= 0)
        job.secrets = compose::secrets_from(
            TRY_DOING(os::read_file(env_secrets_descriptor, os::max_secret_file + 1), "env_file"));
    if (::fcntl(secrets_descriptor, F_GETFD) >= 0)
        job.secret_files =
            compose::secret_files_from(TRY_DOING(os::read_file(secrets_descriptor, max_secrets), "secrets"));
    if (::fcntl(registry_auth_descriptor, F_GETFD) >= 0)
        job.registry_auth = registry_auth_descriptor;
    return ok();
}

Result<ipc::WorkDone> work_on(const ipc::WorkJob& request, const os::FrameWriter& reports, Gate& gate) {
    if (request.kind == ipc::WorkKind::survey)
        return survey_all(request, reports);
    if (request.kind == ipc::WorkKind::examine)
        return examine_user(request, reports);
    compose::Job given; // first: looking up the user may leave a resolver's descriptor at their numbers
    TRY(take_secrets(given));
    compose::Job job = job_of(request);
    job.builder = TRY(program_path("pgod-build"));
    job.secrets = std::move(given.secrets);
    job.secret_files = std::move(given.secret_files);
    job.registry_auth = given.registry_auth;
    const auto directory = TRY(compose::ServiceDirectory::open(request.directory));
    const auto podman = TRY(compose::Podman::find(job.environment, compose::leftover_mark(job.service)));
    auto redacted = job.env;
    for (const auto& [name, value] : job.secrets)
        redacted.push_back(name + "=" + value.reveal());
    for (const auto& [name, value] :
         job.secret_files) { // a program shows it without the file's last line break
        redacted.push_back(name + "=" + std::string(trimmed(value.reveal())));
        for (const auto line : split(value.reveal(), '\n')) // and podman's log has it line by line
            if (trimmed(line).size() >= least_redacted_line)
                redacted.push_back(name + "=" + std::string(trimmed(line)));
    }
    compose::Output output(STDOUT_FILENO, STDERR_FILENO, redacted);
    const bool told = request.kind == ipc::WorkKind::deploy || request.kind == ipc::WorkKind::rollback;
    const auto progress = [&reports, &output, told](std::string_view step) {
        if (const auto sentence = compose::sentence_of_step(step); told && !sentence.empty())
            output.say(sentence);
        report(reports, ipc::Progress{std::string(step)});
    };
    const compose::Work looking{job, directory, podman, output, progress};
    const auto lost = [&looking] {
        const auto seen = compose::observe(looking);
        return !seen.running_commit.empty() &&
               (seen.health == Health::degraded || seen.health == Health::missing);
    };
    const auto pass = [&gate, &reports, &job, &lost] {
        return gate.pass(reports, job, lost);
    };
    return done_of(carry_out(request, compose::Work{job, directory, podman, output, progress, pass}), output);
}

// What the standard library throws (no memory, no thread) must not end a deployment without a word.
Result<ipc::WorkDone> work_safely(const ipc::WorkJob& request, const os::FrameWriter& reports, Gate& gate) {
    try {
        return work_on(request, reports, gate);
    } catch (const std::exception& problem) {
        return Error{Code::internal, fmt::format("the worker gave up: {}", problem.what())};
    }
}

} // namespace

int run_work_role() {
    (void)::signal(SIGPIPE, SIG_IGN);
    (void)::umask(077);
    // The user's other processes must not take its pipe. What it starts can be traced again after
    // execve(2).
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    os::start_log("pgod-work", false);
    const os::FrameWriter reports{Fd(work_report_descriptor)};
    (void)::fcntl(reports.fd(), F_SETFD, FD_CLOEXEC);
    Gate gate = take_gate();
    const auto order = os::read_file(work_order_descriptor, max_work_order);
    (void)::close(work_order_descriptor);
    if (!order)
        return exit_status::usage;
    const auto request = ipc::decode<ipc::WorkRequest>(*order);
    if (!request)
        return exit_status::usage;
    auto done = work_safely(std::get<ipc::WorkJob>(*request), reports, gate);
    report(reports, done ? std::move(*done) : failure(std::move(done).error()));
    return 0;
}

int read_directory(const std::string& directory, const std::string& project) {
    return compose::read_directory(directory, project);
}

} // namespace pgod::daemon

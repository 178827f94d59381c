// The workers of a service: what each is given to do, and what its end means.
#include "core/exit_status.hpp"
#include "core/stop_grace.hpp"
#include "daemon/service_actor.hpp"

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto work_deadline = 30min + stops_of_a_switch; // of a deployment with its pulls and builds

ipc::WorkKind kind_of(reconcile::Work work) {
    switch (work) {
    case reconcile::Work::deploy:
        return ipc::WorkKind::deploy;
    case reconcile::Work::pull:
        return ipc::WorkKind::pull;
    case reconcile::Work::build:
        return ipc::WorkKind::build;
    case reconcile::Work::down:
        return ipc::WorkKind::down;
    case reconcile::Work::start:
        return ipc::WorkKind::start;
    case reconcile::Work::stop:
        return ipc::WorkKind::stop;
    case reconcile::Work::restart:
        return ipc::WorkKind::restart;
    case reconcile::Work::plan:
        return ipc::WorkKind::plan;
    case reconcile::Work::check:
        return ipc::WorkKind::check;
    case reconcile::Work::rollback:
        return ipc::WorkKind::rollback;
    case reconcile::Work::heal:
        return ipc::WorkKind::heal;
    }
    return ipc::WorkKind::observe;
}

bool makes_containers(ipc::WorkKind kind) {
    using enum ipc::WorkKind;
    return kind == deploy || kind == pull || kind == build || kind == rollback || kind == heal ||
           kind == plan || kind == check;
}

} // namespace

ipc::WorkJob ServiceActor::job(ipc::WorkKind kind) const {
    ipc::WorkJob job;
    job.kind = kind;
    job.service = service_.name;
    job.directory = directory();
    job.compose = service_.compose;
    job.profiles = service_.profiles;
    job.env = service_.env;
    job.ports = service_.ports;
    job.volumes = service_.volumes;
    job.networks = service_.networks;
    job.allow = service_.allow;
    job.domains = service_.domains;
    if (!service_.domains.empty())
        job.taken = ports_.taken_names(service_);
    job.neighbours = ports_.neighbours(service_);
    job.nesting = ports_.nesting_neighbours(service_);
    job.start_timeout = service_.start_timeout;
    job.deadline = work_deadline + 2 * service_.start_timeout;
    return job;
}

void ServiceActor::start_work(const reconcile::StartWork& action) {
    if (action.place)
        slot_.emplace(ports_.places.of(*action.place), user_->uid);
    if (action.deployment != 0) {
        secrets_seen_ = look_of_secrets();
        begin_deployment(action);
    }
    auto work = job(kind_of(action.work));
    work.commit = action.commit;
    work.deployment = action.deployment;
    work.args = action.args;
    work.json = action.json;
    Worker::Streams streams;
    if (action.command != 0)
        streams = ports_.streams(action.command);
    work.client = static_cast<bool>(streams.output);
    auto worker = start_worker(
        work, std::move(streams),
        [this](const ipc::WorkDone& done) {
            adopt_claims(done);
            end_work(done);
        },
        [this](const ipc::WorkReport& report) {
            if (const auto* reached = std::get_if<ipc::AtGate>(&report))
                feed(reconcile::GateReached{reached->lost});
        });
    if (worker) {
        worker_ = std::move(*worker);
        return;
    }
    ipc::WorkDone failed;
    failed.error = Error{Code::transient, std::move(worker).error().message}; // no commit is to blame
    failed.running_commit = state_.running;
    failed.exit_status = 1;
    ports_.say(action.command, failed.error->message);
    end_work(failed);
}

void ServiceActor::open_gate(reconcile::Place place) {
    slot_.emplace(ports_.places.of(place), user_->uid);
    if (worker_)
        worker_->open_gate();
}

void ServiceActor::cancel_work(const std::string& reason) {
    cancelled_ = reason;
    if (worker_)
        worker_->cancel();
}

void ServiceActor::end_work(ipc::WorkDone done) {
    // A worker that was cancelled before it could say how it ended is not lost.
    const std::string cancelled = std::exchange(cancelled_, {});
    if (!cancelled.empty() && done.error && done.error->code == Code::internal) {
        done.outcome = Outcome::cancelled;
        done.error = Error{Code::transient, cancelled};
        done.exit_status = exit_status::failed;
        done.running_commit = state_.running;
    }
    if (worker_ && worker_->overdue())
        ports_.tally.deadline_passed(Deadline::work);
    else
        count_deadline(done.error, Deadline::work);
    worker_.reset();
    end_deployment(done);
    slot_.reset();
    std::string running = done.running_commit;
    // A worker that crashed, or could not begin, did not get to say what runs.
    if (done.error && done.exit_status == exit_status::internal && running.empty())
        running = state_.running;
    feed(reconcile::WorkEnded{done.exit_status, done.outcome, done.error, std::move(running), done.health});
}

Result<std::unique_ptr<Worker>> ServiceActor::look(ipc::WorkJob wanted, Worker::Streams streams,
                                                   Looked looked) {
    if (!user_)
        return Error{Code::gone, reconcile::why_unavailable(state_)};
    ipc::WorkJob work = job(wanted.kind);
    work.args = std::move(wanted.args);
    work.terminal = std::move(wanted.terminal);
    work.deployment = wanted.deployment;
    work.follow = wanted.follow;
    work.json = wanted.json;
    work.client = wanted.client;
    work.deadline = wanted.deadline;
    return start_worker(work, std::move(streams), std::move(looked));
}

// Work that only looks, stops or starts uses secrets only to redact them: unreadable files do not stop it.
Result<std::unique_ptr<Worker>> ServiceActor::start_worker(const ipc::WorkJob& work, Worker::Streams streams,
                                                           Looked done, Worker::Seen seen) {
    auto secrets = open_secret_files(service_);
    if (secrets)
        streams.secrets = std::move(*secrets);
    else if (makes_containers(work.kind))
        return std::move(secrets).error();
    return Worker::start(ports_.loop, work, *user_, std::move(streams), std::move(done), std::move(seen));
}

} // namespace pgod::daemon

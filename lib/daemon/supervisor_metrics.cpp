// What the supervisor tells pgod-metrics: numbers, and the names of services.
#include "daemon/supervisor.hpp"
#include "ipc/metrics_messages.hpp"

#include <algorithm>

namespace pgod::daemon {

namespace {

std::uint32_t number(std::size_t count) {
    return static_cast<std::uint32_t>(count);
}

ipc::ServiceNumbers numbers_of(const ServiceActor& actor, const Tally& tally) {
    const auto& state = actor.state();
    ipc::ServiceNumbers numbers;
    numbers.name = actor.service().name;
    numbers.available = reconcile::why_unavailable(state).empty();
    numbers.desired = reconcile::shown_desired(state.durable);
    numbers.health = state.health;
    numbers.outcome = state.durable.outcome;
    numbers.synced = state.synced;
    numbers.interval = actor.service().interval;
    numbers.sync_failures = state.sync_failures;
    numbers.quarantined = number(state.durable.quarantine.size());
    numbers.deployments = tally.deployments_of(numbers.name);
    return numbers;
}

} // namespace

std::vector<std::string> Supervisor::snapshot() const {
    ipc::HostNumbers host;
    host.version = PGOD_VERSION;
    host.made = wall_clock();
    host.started = started_;
    host.configured = configured_;
    host.reads_configuration = reads_configuration_;
    host.listens = endpoint_.listens();
    host.parallel = config_.parallel;
    host.preparing = number(places_.preparing().taken());
    host.deploying = number(places_.switching().taken());
    host.deployments_queued = number(places_.preparing().waiting() + places_.switching().waiting());
    host.git_jobs = number(git_.running());
    host.git_jobs_queued = number(git_.waiting());
    host.ssh_connections = number(operations_.open_ssh());
    host.tally = tally_.host;

    std::vector<ipc::ServicePage> pages(1);
    for (const auto& [name, actor] : actors_) {
        host.commands_queued += number(actor->state().queue.size());
        if (pages.back().services.size() == ipc::services_in_page)
            pages.emplace_back();
        pages.back().services.push_back(numbers_of(*actor, tally_));
    }
    pages.back().last = true;

    std::vector<std::string> frames{ipc::encode(ipc::MetricsFrame(std::move(host)))};
    for (auto& page : pages)
        frames.push_back(ipc::encode(ipc::MetricsFrame(std::move(page))));
    return frames;
}

} // namespace pgod::daemon

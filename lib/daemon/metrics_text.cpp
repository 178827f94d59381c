#include "daemon/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <limits>
#include <string_view>
#include <utility>

namespace pgod::daemon {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds_of(std::chrono::milliseconds span) {
    return std::chrono::duration<double>(span).count();
}

double seconds_of(reconcile::Time time) {
    return seconds_of(time.time_since_epoch());
}

// The families, in the order in which they are read.
class Families {
  public:
    void begin(std::string_view name, std::string_view help, MetricType type = MetricType::Gauge) {
        families_.push_back({std::string(name), std::string(help), type, {}});
    }

    void add(double value, Labels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        (families_.back().type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
        families_.back().metric.push_back(std::move(metric));
    }

    void add(const Histogram& histogram, Labels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
            below += histogram.counts[i];
            metric.histogram.bucket.push_back({below, i < Histogram::bounds.size()
                                                          ? seconds_of(Histogram::bounds[i])
                                                          : std::numeric_limits<double>::infinity()});
        }
        metric.histogram.sample_count = below;
        metric.histogram.sample_sum = seconds_of(histogram.sum);
        families_.back().metric.push_back(std::move(metric));
    }

    void gauge(std::string_view name, std::string_view help, double value) {
        begin(name, help);
        add(value);
    }

    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

  private:
    std::vector<MetricFamily> families_;
};

std::string text_of(auto value) {
    return std::string(name_of(value));
}

void add_host(Families& out, const ipc::HostNumbers& host) {
    out.begin("pgod_build_info", "The release of pgod that runs; always 1.");
    out.add(1, {{"version", host.version}});
    out.gauge("pgod_start_time_seconds", "When pgod was started.", seconds_of(host.started));
    out.gauge("pgod_snapshot_timestamp_seconds", "When pgod counted what is shown here.",
              seconds_of(host.made));
    out.gauge("pgod_ready", "1 while SSH connections are answered.", host.listens);
    out.gauge("pgod_config_last_reload_successful",
              "0 when the configuration file that was read last is bad, and the one before it counts.",
              host.reads_configuration);
    out.gauge("pgod_config_last_reload_success_timestamp_seconds",
              "When the configuration that counts was read.", seconds_of(host.configured));
    out.gauge("pgod_preparations_running", "Deployments, pulls and builds that fetch or build.",
              host.preparing);
    out.gauge("pgod_deployments_running", "Deployments that change what runs.", host.deploying);
    out.gauge("pgod_deployments_queued", "Deployments that wait for a place or for another service.",
              host.deployments_queued);
    out.gauge("pgod_deployments_limit", "How many deployments may change what runs at once (parallel).",
              host.parallel);
    out.gauge("pgod_commands_queued", "Operations that wait until their service is done with another.",
              host.commands_queued);
    out.gauge("pgod_git_jobs_running", "Syncs and exports under way.", host.git_jobs);
    out.gauge("pgod_git_jobs_queued", "Syncs and exports that wait.", host.git_jobs_queued);
    out.gauge("pgod_ssh_connections_open", "SSH connections that are open.", host.ssh_connections);
}

void add_tally(Families& out, const HostTally& tally) {
    out.begin("pgod_ssh_connections_total", "SSH connections that were accepted.", MetricType::Counter);
    out.add(static_cast<double>(tally.ssh_connections));
    out.begin("pgod_ssh_refusals_total", "SSH connections, and requests over them, that were refused.",
              MetricType::Counter);
    for (const auto refusal : all_refusals)
        out.add(static_cast<double>(tally.refusals[index_of(refusal)]), {{"reason", text_of(refusal)}});
    out.begin("pgod_deadlines_exceeded_total", "Jobs that did not end in time.", MetricType::Counter);
    for (const auto deadline : all_deadlines)
        out.add(static_cast<double>(tally.deadlines[index_of(deadline)]), {{"work", text_of(deadline)}});
    out.begin("pgod_syncs_total", "How often upstream was asked, by result.", MetricType::Counter);
    out.add(static_cast<double>(tally.syncs.count() - tally.failed_syncs), {{"result", "ok"}});
    out.add(static_cast<double>(tally.failed_syncs), {{"result", "failed"}});
    out.begin("pgod_sync_duration_seconds", "How long it took to ask upstream.", MetricType::Histogram);
    out.add(tally.syncs);
    out.begin("pgod_deployment_duration_seconds", "How long deployments took, by outcome.",
              MetricType::Histogram);
    for (const auto outcome : all_outcomes)
        if (outcome != Outcome::superseded) // never began
            out.add(tally.deployments[index_of(outcome)], {{"outcome", text_of(outcome)}});
}

using Services = std::vector<ipc::ServiceNumbers>;

void add_each(Families& out, const Services& services,
              const std::function<double(const ipc::ServiceNumbers&)>& value) {
    for (const auto& service : services)
        out.add(value(service), {{"service", service.name}});
}

// One series for each value that it can have: 1 for the one that it has.
template<typename E>
void add_states(Families& out, const Services& services, const auto& values, const char* label,
                const std::function<std::optional<E>(const ipc::ServiceNumbers&)>& state_of) {
    for (const auto& service : services)
        for (const E value : values)
            out.add(state_of(service) == value ? 1 : 0, {{"service", service.name}, {label, text_of(value)}});
}

void add_services(Families& out, const Services& services) {
    out.gauge("pgod_services", "Services that pgod looks after.", static_cast<double>(services.size()));
    out.begin("pgod_service_available", "0 when the service's user or directory is missing.");
    add_each(out, services, [](const auto& service) { return service.available; });
    out.begin("pgod_service_health", "1 for what the containers of the service show.");
    add_states<Health>(out, services, all_health, "health", [](const auto& s) { return s.health; });
    out.begin("pgod_service_desired", "1 for what the operators asked for.");
    add_states<Desired>(out, services, all_desired, "desired", [](const auto& s) { return s.desired; });
    out.begin("pgod_service_last_outcome", "1 for how the last deployment of the service ended.");
    add_states<Outcome>(out, services, all_outcomes, "outcome", [](const auto& s) { return s.outcome; });
    out.begin("pgod_service_last_sync_timestamp_seconds",
              "When upstream was last reached; absent until it was, since pgod began.");
    for (const auto& service : services)
        if (service.synced)
            out.add(seconds_of(*service.synced), {{"service", service.name}});
    out.begin("pgod_service_poll_interval_seconds", "How often upstream is asked.");
    add_each(out, services, [](const auto& service) { return seconds_of(service.interval); });
    out.begin("pgod_service_sync_failures", "Syncs that failed in a row; 0 after a good one.");
    add_each(out, services, [](const auto& service) { return service.sync_failures; });
    out.begin("pgod_service_quarantined_commits", "Commits that failed and are left alone.");
    add_each(out, services, [](const auto& service) { return service.quarantined; });
    out.begin("pgod_deployments_total", "Deployments that ended, by outcome.", MetricType::Counter);
    for (const auto& service : services)
        for (const auto outcome : all_outcomes)
            out.add(static_cast<double>(service.deployments[index_of(outcome)]),
                    {{"service", service.name}, {"outcome", text_of(outcome)}});
}

} // namespace

std::string metrics_text(const Snapshot& snapshot) {
    Families families;
    add_host(families, snapshot.host);
    add_tally(families, snapshot.host.tally);
    add_services(families, snapshot.services);
    return families.text();
}

} // namespace pgod::daemon

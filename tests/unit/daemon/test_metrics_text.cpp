#include "daemon/metrics_text.hpp"

#include "base/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace pgod;
using namespace pgod::daemon;
using namespace std::chrono_literals;

namespace {

constexpr reconcile::Time some_time{1'700'000'000'250ms};

// Each series and its value.
std::map<std::string, std::string> series_of(const std::string& text) {
    std::map<std::string, std::string> found;
    for (const auto line : split(text, '\n')) {
        if (line.empty() || line.front() == '#')
            continue;
        const auto space = line.rfind(' ');
        CHECK(found.emplace(line.substr(0, space), line.substr(space + 1)).second);
    }
    return found;
}

Snapshot some_snapshot() {
    Snapshot snapshot;
    snapshot.host.version = "1.2.3";
    snapshot.host.made = some_time;
    snapshot.host.listens = true;
    snapshot.host.parallel = 4;
    snapshot.host.preparing = 3;
    snapshot.host.deploying = 2;
    snapshot.host.tally.ssh_connections = 9'007'199'254'740'991; // every count up to here is exact
    ++snapshot.host.tally.refusals[index_of(Refusal::unknown_key)];
    ipc::ServiceNumbers web;
    web.name = "web-1";
    web.health = Health::degraded;
    web.desired = Desired::suspended;
    web.outcome = Outcome::rolled_back;
    web.synced = some_time;
    web.interval = 90s;
    web.sync_failures = 3;
    web.quarantined = 2;
    web.deployments = {5, 0, 0, 1, 0, 0};
    ipc::ServiceNumbers fresh;
    fresh.name = "fresh";
    fresh.available = false;
    snapshot.services = {web, fresh};
    return snapshot;
}

} // namespace

TEST_CASE("what is known of services is shown, one series for each value that a state can have") {
    const auto series = series_of(metrics_text(some_snapshot()));
    const std::map<std::string, std::string> expected{
        {"pgod_build_info{version=\"1.2.3\"}", "1"},
        {"pgod_ready", "1"},
        {"pgod_config_last_reload_successful", "1"},
        {"pgod_snapshot_timestamp_seconds", "1700000000.25"},
        {"pgod_preparations_running", "3"},
        {"pgod_deployments_running", "2"},
        {"pgod_deployments_limit", "4"},
        {"pgod_ssh_connections_total", "9007199254740991"},
        {"pgod_ssh_refusals_total{reason=\"unknown_key\"}", "1"},
        {"pgod_ssh_refusals_total{reason=\"full\"}", "0"},
        {"pgod_services", "2"},
        {"pgod_service_available{service=\"web-1\"}", "1"},
        {"pgod_service_available{service=\"fresh\"}", "0"},
        {"pgod_service_health{service=\"web-1\",health=\"degraded\"}", "1"},
        {"pgod_service_health{service=\"web-1\",health=\"healthy\"}", "0"},
        {"pgod_service_health{service=\"fresh\",health=\"unknown\"}", "1"},
        {"pgod_service_desired{service=\"web-1\",desired=\"suspended\"}", "1"},
        {"pgod_service_desired{service=\"fresh\",desired=\"running\"}", "1"},
        {"pgod_service_last_outcome{service=\"web-1\",outcome=\"rolled-back\"}", "1"},
        {"pgod_service_last_outcome{service=\"web-1\",outcome=\"ok\"}", "0"},
        {"pgod_service_last_outcome{service=\"fresh\",outcome=\"ok\"}", "0"},
        {"pgod_service_last_sync_timestamp_seconds{service=\"web-1\"}", "1700000000.25"},
        {"pgod_service_poll_interval_seconds{service=\"web-1\"}", "90"},
        {"pgod_service_sync_failures{service=\"web-1\"}", "3"},
        {"pgod_service_quarantined_commits{service=\"web-1\"}", "2"},
        {"pgod_deployments_total{service=\"web-1\",outcome=\"ok\"}", "5"},
        {"pgod_deployments_total{service=\"web-1\",outcome=\"rolled-back\"}", "1"},
        {"pgod_deployments_total{service=\"fresh\",outcome=\"ok\"}", "0"},
    };
    for (const auto& [name, value] : expected) {
        CAPTURE(name);
        REQUIRE(series.contains(name));
        CHECK(series.at(name) == value);
    }
    CHECK_FALSE(series.contains("pgod_service_last_sync_timestamp_seconds{service=\"fresh\"}"));
}

TEST_CASE("a histogram is cumulative, in seconds, and ends with all") {
    Snapshot snapshot;
    auto& deployments = snapshot.host.tally.deployments[index_of(Outcome::ok)];
    for (const auto span : {200ms, 900ms, 900ms, 2'000'000ms})
        deployments.add(span);
    const auto series = series_of(metrics_text(snapshot));
    const std::string bucket = "pgod_deployment_duration_seconds_bucket{outcome=\"ok\",le=\"";
    CHECK(series.at(bucket + "0.1\"}") == "0");
    CHECK(series.at(bucket + "0.25\"}") == "1");
    CHECK(series.at(bucket + "1\"}") == "3");
    CHECK(series.at(bucket + "1800\"}") == "3");
    CHECK(series.at(bucket + "+Inf\"}") == "4");
    CHECK(series.at("pgod_deployment_duration_seconds_count{outcome=\"ok\"}") == "4");
    CHECK(series.at("pgod_deployment_duration_seconds_sum{outcome=\"ok\"}") == "2002");
    CHECK(series.contains("pgod_sync_duration_seconds_count"));
}

TEST_CASE("each family has its help and type once, and its series together") {
    const auto text = metrics_text(some_snapshot());
    std::map<std::string, int> helps;
    std::string family;
    for (const auto line : split(text, '\n')) {
        if (line.starts_with("# HELP ")) {
            family = std::string(words(line)[2]);
            CHECK(++helps[family] == 1);
        } else if (!line.empty() && line.front() != '#') {
            CHECK(line.starts_with(family));
        }
    }
    CHECK(helps.size() > 20);
}

// Supervisor → pgod-metrics: where to listen, and then every few seconds a snapshot, which is one HostNumbers
// and then ServicePages up to the one that is the last. Nothing comes back.
#pragma once

#include "core/tally.hpp"
#include "ipc/codec.hpp"

namespace pgod::ipc {

inline constexpr std::chrono::seconds snapshot_interval{5};
inline constexpr std::size_t services_in_page = 256; // of some 200 bytes, far below max_frame

struct MetricsStart { // the first frame; with the listening sockets as descriptors
    void fields(auto&) {}
};

struct HostNumbers {
    std::string version;
    reconcile::Time made{};          // by pgod's clock
    reconcile::Time started{};       // pgod
    reconcile::Time configured{};    // the configuration that counts was read
    bool reads_configuration = true; // the last time that it was read it was good
    bool listens = false;            // SSH connections are answered
    std::uint32_t parallel = 0;
    std::uint32_t preparing = 0;
    std::uint32_t deploying = 0;
    std::uint32_t deployments_queued = 0;
    std::uint32_t commands_queued = 0;
    std::uint32_t git_jobs = 0;
    std::uint32_t git_jobs_queued = 0;
    std::uint32_t ssh_connections = 0; // open
    HostTally tally;
    void fields(auto& archive) {
        archive(version);
        archive(made);
        archive(started);
        archive(configured);
        archive(reads_configuration);
        archive(listens);
        archive(parallel);
        archive(preparing);
        archive(deploying);
        archive(deployments_queued);
        archive(commands_queued);
        archive(git_jobs);
        archive(git_jobs_queued);
        archive(ssh_connections);
        archive(tally);
    }
};

struct ServiceNumbers {
    std::string name; // [a-z0-9-]
    bool available = true;
    Desired desired = Desired::running;
    Health health = Health::unknown;
    std::optional<Outcome> outcome;        // of the last deployment
    std::optional<reconcile::Time> synced; // the last time that it went well
    std::chrono::milliseconds interval{0};
    std::uint32_t sync_failures = 0; // in a row
    std::uint32_t quarantined = 0;   // commits
    PerOutcome deployments{};
    void fields(auto& archive) {
        archive(name);
        archive(available);
        archive(desired);
        archive(health);
        archive(outcome);
        archive(synced);
        archive(interval);
        archive(sync_failures);
        archive(quarantined);
        for (auto& count : deployments)
            archive(count);
    }
};

struct ServicePage {
    std::vector<ServiceNumbers> services;
    bool last = false;
    void fields(auto& archive) {
        archive(services);
        archive(last);
    }
};

using MetricsFrame = std::variant<MetricsStart, HostNumbers, ServicePage>;

} // namespace pgod::ipc

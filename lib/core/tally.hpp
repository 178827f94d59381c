// Tally: what has happened since pgod began, in numbers, for whoever watches the host (`metrics`). The
// supervisor counts, whether or not anybody reads; nothing is decided by it.
#pragma once

#include "core/histogram.hpp"
#include "core/vocabulary.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace pgod {

using PerOutcome = std::array<std::uint64_t, all_outcomes.size()>;

// Why an SSH connection, or what it asked for, was refused.
enum class Refusal { full, nothing_asked, unknown_key, unauthorized, limit };
inline constexpr std::array all_refusals{Refusal::full, Refusal::nothing_asked, Refusal::unknown_key,
                                         Refusal::unauthorized, Refusal::limit};
std::string_view name_of(Refusal refusal) noexcept;

// What has a deadline.
enum class Deadline { sync, stage, work, look };
inline constexpr std::array all_deadlines{Deadline::sync, Deadline::stage, Deadline::work, Deadline::look};
std::string_view name_of(Deadline deadline) noexcept;

template<typename E>
constexpr std::size_t index_of(E value) noexcept {
    return static_cast<std::size_t>(value);
}

struct HostTally {
    std::uint64_t ssh_connections = 0;
    std::array<std::uint64_t, all_refusals.size()> refusals{};
    std::array<std::uint64_t, all_deadlines.size()> deadlines{}; // that passed
    std::uint64_t failed_syncs = 0;
    Histogram syncs;                                        // good ones and failed ones
    std::array<Histogram, all_outcomes.size()> deployments; // those that were seen from beginning to end
    void fields(auto& archive) {
        archive(ssh_connections);
        for (auto& count : refusals)
            archive(count);
        for (auto& count : deadlines)
            archive(count);
        archive(failed_syncs);
        archive(syncs);
        for (auto& histogram : deployments)
            archive(histogram);
    }
    bool operator==(const HostTally&) const = default;
};

struct Tally {
    HostTally host;
    std::map<std::string, PerOutcome, std::less<>> deployments; // by service

    void refused(Refusal why) noexcept { ++host.refusals[index_of(why)]; }
    void deadline_passed(Deadline of) noexcept { ++host.deadlines[index_of(of)]; }
    void synced(std::chrono::milliseconds took, bool well) noexcept;
    void deployed(const std::string& service, Outcome outcome) { ++deployments[service][index_of(outcome)]; }
    void deployment_took(Outcome outcome, std::chrono::milliseconds took) noexcept {
        host.deployments[index_of(outcome)].add(took);
    }
    PerOutcome deployments_of(std::string_view service) const;
};

} // namespace pgod

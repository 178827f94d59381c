#include "core/tally.hpp"

namespace pgod {

std::string_view name_of(Refusal refusal) noexcept {
    switch (refusal) {
    case Refusal::full:
        return "full";
    case Refusal::nothing_asked:
        return "nothing_asked";
    case Refusal::unknown_key:
        return "unknown_key";
    case Refusal::unauthorized:
        return "unauthorized";
    case Refusal::limit:
        return "limit";
    }
    return "unknown";
}

std::string_view name_of(Deadline deadline) noexcept {
    switch (deadline) {
    case Deadline::sync:
        return "sync";
    case Deadline::stage:
        return "stage";
    case Deadline::work:
        return "work";
    case Deadline::look:
        return "look";
    }
    return "unknown";
}

void Tally::synced(std::chrono::milliseconds took, bool well) noexcept {
    host.syncs.add(took);
    if (!well)
        ++host.failed_syncs;
}

PerOutcome Tally::deployments_of(std::string_view service) const {
    const auto found = deployments.find(service);
    return found == deployments.end() ? PerOutcome{} : found->second;
}

} // namespace pgod

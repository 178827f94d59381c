// DeploymentRow: what is remembered of one deployment.
#pragma once

#include "core/durable.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace pgod::store {

inline constexpr std::size_t max_deployments = 200;      // of one service; the oldest go
inline constexpr std::size_t max_removed_services = 256; // whose rows are kept; the longest gone go

struct DeploymentRow {
    std::uint64_t number = 0; // counts from 1 for each service, also over a removal
    std::string commit;
    Trigger trigger = Trigger::poll;
    std::string who; // as Intent::by; empty: nobody asked
    reconcile::Time started{};
    std::optional<reconcile::Time> ended; // none: it runs, or nobody saw its end
    std::optional<Outcome> outcome;
    std::string cause;    // name of the Code that decided what happened next; empty when it went well
    std::string reason;   // one sentence
    bool removed = false; // no deployment: the service was removed here
    bool operator==(const DeploymentRow&) const = default;
};

} // namespace pgod::store

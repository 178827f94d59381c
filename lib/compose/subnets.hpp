// Where the networks of a plan may lie: podman refuses a range that another network of the user or the host
// has, and would do so when the old containers are gone. As the service's user.
#pragma once

#include "compose/podman.hpp"
#include "core/findings.hpp"
#include "core/plan.hpp"

#include <map>
#include <string>

namespace pgod::compose {

// Of one network that has to be made. The names of those of `obsolete` that are in its way; adds every other
// network, interface of this host and name server in its range to `findings`.
std::vector<std::string> networks_in_the_way(const PlannedNetwork& planned,
                                             const std::map<std::string, FoundNetwork>& found,
                                             const std::vector<std::string>& obsolete, Findings& findings);

// What a network was made with, as its label says.
std::string options_text(const PlannedNetwork& network);

} // namespace pgod::compose

// Foreign objects: networks and volumes of podman that a plan needs by name and somebody else holds. Asks
// podman as the service's user, before anything of the service goes down.
#pragma once

#include "compose/found_objects.hpp"
#include "compose/job.hpp"
#include "compose/record.hpp"
#include "core/findings.hpp"

#include <span>
#include <string>

namespace pgod::compose {

// `seen`: all containers of the user. Adds each object that this service cannot have. What `running` (or
// nullptr) has already is not asked for: it costs a call of podman, and the switch looks again.
Status check_foreign_objects(const Work& work, const Plan& plan, std::span<const Container> seen,
                             const Record* running, FoundObjects& objects, Findings& findings);

// podman or podman-compose made it under another name of a service, or by hand.
bool is_foreign(const FoundNetwork& network, const std::string& service, const Plan& plan);
void refuse_foreign_network(const std::string& name, Findings& findings);

} // namespace pgod::compose

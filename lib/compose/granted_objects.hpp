// Granted objects: networks and volumes of podman that are not the service's own, and that the admin granted
// by name. Asks podman, as the service's user, only when there is one.
#pragma once

#include "compose/found_objects.hpp"
#include "compose/job.hpp"
#include "core/plan.hpp"

namespace pgod::compose {

// Code::transient says which ones podman does not have: somebody may make them.
Status check_granted_objects(const Work& work, const Plan& plan, FoundObjects& objects);

} // namespace pgod::compose

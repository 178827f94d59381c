// Obstacles: what a valid plan meets on this host that would stop it half way: names, networks, volumes and
// addresses that somebody else has, links that containers left in the work tree, objects that the admin
// grants and podman lacks. Looked for as the service's user before anything of the service goes down.
#pragma once

#include "compose/found_objects.hpp"
#include "compose/job.hpp"
#include "compose/record.hpp"

#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

struct PlanSurroundings {
    std::span<const Container> seen; // all of the user's
    const Record* running = nullptr; // podman is not asked for what that has already: the switch looks again
    int tree = -1;                   // the work tree; -1: there is none that a container could have changed
    std::string files;               // where the plan's own files are, beneath the service's directory
};

// Code::permanent: all that were found were said, as by plan_commit(), and `reasons` gets them.
// Code::transient: podman did not answer, or what it lacks can still be made.
Status check_obstacles(const Work& work, const Plan& plan, const PlanSurroundings& surroundings,
                       FoundObjects& objects, std::vector<Violation>* reasons = nullptr);

} // namespace pgod::compose

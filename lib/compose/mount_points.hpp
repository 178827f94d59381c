// Mount points: podman makes the place in the container where something is mounted, and cannot where that
// place lies in a bind that is mounted read-only. It has to be in the source then. Runs as the service's
// user, when a commit is new.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

#include <string>

namespace pgod::compose {

// `stage`: the exported commit, open, and the path that the plan has for it. `tree`: the work tree, or -1.
// `tracked`: the files of the release that runs, or -1.
void check_mount_points(const Plan& plan, int stage, const std::string& stage_path, int tree, int tracked,
                        Findings& findings);

} // namespace pgod::compose

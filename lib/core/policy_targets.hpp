// Places in a container where podman can mount nothing, or not what the file asks for: it finds out only when
// the old container is gone. What depends on files of the commit is in compose/mount_points.hpp. Pure.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct MountTarget {
    std::string_view setting; // "volumes", "tmpfs", "secrets"
    std::string path;         // absolute, in the container
    bool is_file = false;     // for certain: a secret or config in memory
};
std::vector<MountTarget> mount_targets(const PlannedContainer& container);

void judge_targets(const PlannedContainer& container, Findings& findings);

} // namespace pgod

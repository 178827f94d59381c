// Binds: where a bind source of a plan is on the host. A source in the stage is at the same place in the work
// tree, one outside must be in a directory that the admin granted. Both are resolved beneath their root
// without following links (a container may have left one), before anything goes down and again before each
// container is made. Files of the host's time are root's, and their links are followed. A directory that the
// work tree lacks is made; outside of it nothing is.
#pragma once

#include "base/result.hpp"
#include "core/findings.hpp"
#include "core/plan.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct BindRoots {
    std::string stage; // as the plan says it
    std::string tree;  // the work tree
    std::vector<std::string> volumes;
};

enum class IfMissing { accept, make }; // in the work tree

// The absolute path for podman. Code::permanent when it leads elsewhere or does not exist.
Result<std::string> resolve_bind(const std::string& source, const BindRoots& roots, int tree,
                                 IfMissing missing);

// What the admin grants, and where the links of root in it lead: a plan holds no links. Never pgod's own
// directory, `state`.
std::vector<std::string> with_targets(std::vector<std::string> volumes, std::string_view state);

// Without the files of the host's time that this host lacks: podman would refuse the container for one.
PlannedContainer without_missing(PlannedContainer container);

// Every bind of the plan that podman mounts from its source, named after its compose service. `files`:
// sources of nested binds that are files of the commit, nested_files(): podman mounts copies of those.
void check_binds(const Plan& plan, const BindRoots& roots, int tree, const std::set<std::string>& files,
                 Findings& findings);
Status check_binds(const Plan& plan, const BindRoots& roots, int tree, const std::set<std::string>& files);

} // namespace pgod::compose

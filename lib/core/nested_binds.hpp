// Nested binds: a bind whose source lies in a directory that a container of the service may write to. podman
// starts a container again by itself and follows the source anew, so a container that writes to the outer
// directory could put a link there, and the inner bind would mount whatever the user can read. Two kinds are
// harmless, because podman follows nothing there: an inner bind that repeats what the outer one shows at the
// same place anyway, which pgod leaves out, and a read-only file of the commit, of which pgod mounts a copy.
// `allow = ["nested-binds"]` accepts the danger of the others. Pure; compose/nested_mounts.hpp carries it
// out.
#pragma once

#include "core/findings.hpp"
#include "core/mount.hpp"
#include "core/plan.hpp"
#include "core/policy.hpp"

#include <set>
#include <string>
#include <vector>

namespace pgod {

struct NestedBind {
    Mount inner;
    std::string outer;      // source of the nearest directory around it that a container may write to
    bool redundant = false; // the container has the same files there without it
};

std::set<std::string> writable_binds(const Plan& plan); // their sources
std::vector<NestedBind> nested_binds(const PlannedContainer& container,
                                     const std::set<std::string>& writable);

void judge_nested_binds(const Plan& plan, const PolicyGrants& grants, Findings& findings);

} // namespace pgod

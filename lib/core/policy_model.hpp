// The half of the policy that looks at podman-compose's own model: keys that never reach podman's arguments.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

namespace pgod {

// Keys that this podman-compose ignores and a newer one would honour, keys that nobody knows, and
// dependencies that cannot be met.
void judge_model(const Plan& plan, Findings& findings);

} // namespace pgod

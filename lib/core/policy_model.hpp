// The half of the policy that looks at what the model says beyond podman's arguments.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

namespace pgod {

// Keys that podman-compose takes for options of podman, and dependencies that cannot be met.
void judge_model(const Plan& plan, Findings& findings);

} // namespace pgod

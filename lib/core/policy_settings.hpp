// The policy's part about `x-pgo`, what a compose file says to pgod itself.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

namespace pgod {

void judge_settings(const Model& model, Findings& findings);

} // namespace pgod

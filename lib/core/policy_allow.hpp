// The part of the policy that `allow` decides: capabilities, devices, security options, kernel settings and
// the host's network. Pure.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

#include <span>
#include <string>

namespace pgod {

void judge_allowed(const PlannedContainer& container, std::span<const std::string> allow, Findings& findings);

} // namespace pgod

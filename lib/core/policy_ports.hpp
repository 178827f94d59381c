// The part of the policy about host ports.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"
#include "core/service.hpp"

#include <optional>
#include <vector>

namespace pgod {

inline constexpr std::size_t max_host_ports = 10000; // of one plan, ranges counted in full

// Every port of every range lies within `granted` (absent: any, also random ones), and none is bound twice.
void judge_ports(const Plan& plan, const std::optional<std::vector<PortRange>>& granted, Findings& findings);

} // namespace pgod

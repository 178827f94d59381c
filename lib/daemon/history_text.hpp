// What the supervisor says about the past: `history` and `why`, as text for people and as JSON. Pure; foreign
// text is escaped.
#pragma once

#include "daemon/status_text.hpp"
#include "store/deployment_row.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

std::string history_text(const std::vector<store::DeploymentRow>& newest_first);
std::string history_json(const std::vector<store::DeploymentRow>& newest_first);

// What was decided last, what it was decided from, what is next: three lines.
std::string why_text(const ServiceView& view, reconcile::Time now);
std::string why_json(const ServiceView& view);

} // namespace pgod::daemon

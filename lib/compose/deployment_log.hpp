// The text of a deployment on disk: log/NUMBER in the service's directory, 0600. Bounded: Output::max_log
// bytes each, the newest `kept_logs`.
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

inline constexpr std::size_t kept_logs = 20;

// Best effort: a deployment does not fail because its log cannot be written.
void start_deployment_log(const Work& work);

} // namespace pgod::compose

// The text of a deployment on disk: log/NUMBER in the service's directory, 0600. Bounded: LogFile::max_size
// bytes each, the newest `kept_logs`. Secrets are redacted before they get here (compose/output.hpp).
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

inline constexpr std::size_t kept_logs = 50;

// Best effort: a deployment does not fail because its log cannot be written.
void start_deployment_log(const Work& work);

// `log`: the text of deployment `work.job.deployment` on stdout, or as JSON. Control characters are escaped:
// containers wrote part of it.
JobResult show_deployment_log(const Work& work);

} // namespace pgod::compose

// The text of a deployment on disk: log/NUMBER in the service's directory, 0600. Bounded: LogFile::max_size
// bytes each, the newest `kept_logs`. Secrets are redacted before they get here (compose/output.hpp).
#pragma once

#include "compose/job.hpp"

#include <string_view>

namespace pgod::compose {

inline constexpr std::size_t kept_logs = 50;

// Best effort: a deployment does not fail because its log cannot be written.
void start_deployment_log(const Work& work);

// What a client and the log are told when a step begins; empty: the step says more itself.
std::string_view sentence_of_step(std::string_view step) noexcept;

// `log`: the text of deployment `work.job.deployment` on stdout, or as JSON. Control characters are escaped:
// containers wrote part of it. With `work.job.follow` as it is written, until the deployment ends: whoever
// writes a log holds it locked (flock(2)). Of one that grew too long only what comes last is shown on.
JobResult show_deployment_log(const Work& work);

} // namespace pgod::compose

// A deployment: make the exported commit the one that runs, and never take down what is healthy before the
// new version is known to be able to start. What is done to containers is in changeover.hpp.
#pragma once

#include "compose/job.hpp"

#include <functional>

namespace pgod::compose {

JobResult deploy(const Work& work);

// What every numbered attempt has: the lock, the log, and its end said.
JobResult deploy_under_lock(const Work& work, const std::function<JobResult(const Work&)>& run);

} // namespace pgod::compose

// A deployment: make the exported commit the one that runs, and never take down what is healthy before the
// new version is known to be able to start. Its steps are one function each, and the point of no return is in
// switch_to().
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

JobResult deploy(const Work& work);

} // namespace pgod::compose

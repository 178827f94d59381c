// `pull` and `build`: the images of the exported commit, without touching a container. What runs keeps its
// image, by id and by pgod's own tag; the next deployment finds the new one.
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

JobResult pull_commit(const Work& work);
JobResult build_commit(const Work& work);

} // namespace pgod::compose

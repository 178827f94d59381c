// Previews of the exported commit: what would happen if it were deployed. They change nothing, neither
// containers nor images nor the work tree, and take the service's lock, since the stage must stay as it is
// while it is read.
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

// `check`: exit 0 when the commit would be accepted, 65 with the reasons. job.args: perhaps the commit that
// is meant, as a prefix of at least 4 digits; only the exported one can be looked at.
JobResult check_commit(const Work& work);

// `plan`: what would change against what runs (containers, networks, volumes, images, files of the work tree)
// and which containers would be made anew; else as `check`. Images are those that this host has: no registry
// is asked.
JobResult show_plan(const Work& work);

} // namespace pgod::compose

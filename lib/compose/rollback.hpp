// A rollback by hand: a kept release (kept.hpp) becomes what runs, under a deployment number of its own, by
// the same changeover as a deployment. Neither git nor a registry is asked and nothing is built, so it works
// while they are away; today's policy judges the old plan, since grants may have been taken back.
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

// job.args: perhaps a deployment's number or a commit's first 4 digits or more; none: the newest kept one.
// Outcome::rejected when it is not kept, with the list of what is; running_commit of a good result says which
// commit it was. When it does not prove itself, what ran is brought back.
JobResult roll_back(const Work& work);

} // namespace pgod::compose

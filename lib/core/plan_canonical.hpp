// The canonical form of a plan: what podman does the same way is written the same way, so that plans can be
// compared whichever podman-compose made them. Pure. parse_plan() gives no other form, and a record that an
// older pgod wrote is brought into it when it is read: an upgrade of pgod, of podman-compose or of the
// distribution changes no container.
//
//   options of a container or build  by flag, in the order of the table (plan_flags.hpp); those of one
//                                    flag keep theirs, because the last of two variables counts
//   --network N --network N,M        one, its names sorted
//   --network-alias                  sorted, each once: podman gives every alias in every network
//   --label                          by key
//   --volume S:T:rw                  without rw, which is what podman does anyway
//   keys of the model                sorted, each once, without podman-compose's own, which begin with "_"
//   condition service_started        none
#pragma once

#include "core/plan.hpp"

namespace pgod {

Plan canonical(Plan plan); // of a canonical one: itself

} // namespace pgod

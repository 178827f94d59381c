// Kept values: the admin's secrets that the running version has, in a file of the service's runtime place.
// The admin may remove a secret that a running version still needs. A rollback to it, and healing it, then
// take the kept value. A new commit never does. The file holds what the running version names and nothing
// else.
#pragma once

#include "compose/job.hpp"
#include "core/plan.hpp"

#include <span>
#include <string>

namespace pgod::compose {

SecretValues given_values(const Job& job); // by the admin, now

// For containers of that release: of `running_release`, with kept values where the admin gives none. Output
// redacts them from then on. Not for several threads at a time.
SecretValues values_for(const Work& work, const std::string& release);

// Once the plan is the running one, and before its containers are removed.
Status keep_values(const Work& work, const Plan& running);

// Code::transient: a container of the plan runs with a value that nobody gives or kept, so it could not be
// made again.
Status check_kept_values(const Work& work, const Plan& running, std::span<const Container> seen);

} // namespace pgod::compose

// One spelling of a value that podman reads the same way: plans are compared after it, so that a new way to
// write a size, a duration or a port recreates no container.
#pragma once

#include "core/plan.hpp"

#include <string>

namespace pgod {

// The option's value; one that it does not know stays as it is.
std::string canonical_value(const PlanOption& option);

} // namespace pgod

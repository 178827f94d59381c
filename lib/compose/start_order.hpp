// The order in which containers are started. Pure. podman-compose starts one after the other, by the number
// of dependencies; only what a container depends on has to be up before it, so the others can start side by
// side.
#pragma once

#include "core/plan.hpp"

#include <cstddef>
#include <vector>

namespace pgod::compose {

// Indices into plan.containers, level by level: every dependency of a container is in a level before its own.
// Compose services that depend on each other in a circle come last, one by one, as podman-compose takes them.
std::vector<std::vector<std::size_t>> start_levels(const Plan& plan);

} // namespace pgod::compose

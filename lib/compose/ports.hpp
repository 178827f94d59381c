// Host ports: whether the plan's can be bound, asked of the kernel before anything goes down. A port that a
// running container of this service holds is left out, since that container goes first.
#pragma once

#include "base/result.hpp"
#include "compose/container.hpp"
#include "core/plan.hpp"

#include <span>

namespace pgod::compose {

// Code::transient: another program holds it, for now. Code::permanent: this user may not bind it, or the host
// has no such address.
Status check_ports(const Plan& plan, std::span<const Container> ours);

} // namespace pgod::compose

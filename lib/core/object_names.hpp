// Names of podman objects that belong to a service. podman-compose calls the containers, volumes and networks
// of the service "ab" ab_…, and a service's name holds no "_": the text before the first one names the
// owner. Pure.
#pragma once

#include "core/service.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

std::string_view owner_by_name(std::string_view object) noexcept; // empty: the name is nobody's

// Names of the other services of this Unix user, who share one podman, at most max_neighbour_bytes of them in
// all. If a container takes a name of a service that is left out, podman refuses that service's container.
inline constexpr std::size_t max_neighbour_bytes = std::size_t{32} * 1024; // a quarter of ipc's max_frame
std::vector<std::string> neighbours_of(const Service& service, std::span<const Service> services);

// Those of them whose `allow` has nested-binds: binds of both may lie in each other
// (compose/shared_binds.hpp). At most a quarter of those bytes; one that is left out is refused.
std::vector<std::string> nesting_neighbours_of(const Service& service, std::span<const Service> services);

} // namespace pgod

// The value of --network as structure: a mode that stands alone, names with commas between them, one name
// with its options (NAME:ip=…,mac=…), or the container whose network another one shares. Pure.
#pragma once

#include "core/plan.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace pgod {

// The networks that it names; none of another flag, of a mode and of a container.
std::vector<std::string_view> network_names(const PlanOption& option);

std::optional<std::string_view> shared_container(std::string_view value);      // NAME of "container:NAME"
std::optional<std::string_view> container_shared_by(const PlanOption& option); // the same, of --network

// What may stand behind a name: addresses, a hardware address, an interface's name; each at most once.
bool are_network_options(std::string_view text);

bool is_mac_address(std::string_view text) noexcept;

} // namespace pgod

// The words of `allow`: what an admin may permit a repository beyond what every repository may ask for. A
// closed list, of what rootless podman can give and podman-compose passes on; pgod.toml(5) explains each.
// Written "KIND:VALUE", or "KIND" for one that takes no value; normalised text, so that equal is the same.
#pragma once

#include "core/plan.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgod {

inline constexpr std::string_view allow_host_network = "host-network";
inline constexpr std::string_view allow_nested_binds = "nested-binds"; // core/nested_binds.hpp

struct AllowanceKind {
    std::string_view word;
    std::string_view example;                       // a whole entry of `allow`
    std::span<const std::string_view> values = {};  // all that there are; empty: `fits` decides
    bool (*fits)(std::string_view value) = nullptr; // absent, and no values: it takes none
    std::string_view expected = {};                 // "a device such as …"
    bool takes_value() const noexcept { return fits != nullptr || !values.empty(); }
};
std::span<const AllowanceKind> allowance_kinds() noexcept;

// "cap:NET_ADMIN" of "cap" and "cap_net_admin": what `allow` holds and what a plan needs meet in this.
std::string allowance(std::string_view kind, std::string_view value);

// The word that permits this flag of a container: empty when every repository may have it, nullopt when
// nothing permits it. Of --cap-add, --device, --security-opt and --sysctl.
std::optional<std::string> needed_allowance(const PlanOption& option);

// HOST[:CONTAINER[:rwm]], a device that can be granted.
bool is_device_mapping(std::string_view text);
bool is_sysctl(std::string_view text) noexcept; // NAME=VALUE, the value plain

// Names that podman's --network takes for a way to connect, not for a network.
bool is_network_mode(std::string_view name) noexcept;

} // namespace pgod

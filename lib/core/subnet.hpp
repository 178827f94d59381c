// Ranges of addresses, of IPv4 and of IPv6. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgod {

struct Subnet {
    std::array<std::uint8_t, 16> address{}; // of IPv4: the first four
    unsigned bits = 0;                      // that all of its addresses share
    bool is_v6 = false;
};

std::optional<Subnet>
parse_subnet(std::string_view text); // "10.1.0.0/24"; an address alone is a range of one
bool overlap(const Subnet& one, const Subnet& other) noexcept;

// Why no network of a repository may have it; empty: it may. All networks of a user are joined to one, from
// which also its name server asks the outside. A range of the internet there would take the place of it for
// every service of the user, and so would a large one or podman's own.
std::string_view problem_of_subnet(const Subnet& subnet) noexcept;

} // namespace pgod

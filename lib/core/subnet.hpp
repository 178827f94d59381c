// The ranges of networks that a repository asks for. Pure.
#pragma once

#include "core/address.hpp"

#include <optional>
#include <string_view>

namespace pgod {

// "10.1.0.0/24", and "10.1.0.7/24" as interfaces have it; an address alone is a range of one.
std::optional<AddressBlock> parse_subnet(std::string_view text);
bool overlap(const AddressBlock& one, const AddressBlock& other) noexcept;

// Why no network of a repository may have it; empty: it may. All networks of a user are joined to one, from
// which also its name server asks the outside. A range of the internet there would take the place of it for
// every service of the user, and so would a large one or podman's own.
std::string_view problem_of_subnet(const AddressBlock& subnet) noexcept;

} // namespace pgod

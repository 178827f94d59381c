// IPv4 and IPv6 addresses and blocks of them, as text and as bytes. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgod {

struct Address {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{}; // in the order of the wire; of IPv4 the first four
    bool operator==(const Address&) const = default;
};
// nullopt: it is none. An IPv4 address in IPv6 form (::ffff:192.0.2.1) is the IPv4 address.
std::optional<Address> parse_address(std::string_view text);
std::optional<Address> address_of_peer(std::string_view peer); // ADDRESS:PORT or [ADDRESS]:PORT

struct AddressBlock {
    bool negated = false;
    Address address;
    std::uint8_t bits = 0; // that count
    bool operator==(const AddressBlock&) const = default;
};
// 192.0.2.1, 192.0.2.0/24, 192.0.2.*, 2001:db8::/32; no bit may be set beyond the mask. nullopt: it is none.
std::optional<AddressBlock> parse_block(std::string_view pattern);
std::string block_text(const AddressBlock& block);
bool is_within(const AddressBlock& block, const Address& address) noexcept; // whether it is negated or not

} // namespace pgod

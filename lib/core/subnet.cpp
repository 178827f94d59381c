#include "core/subnet.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace pgod {

namespace {

constexpr unsigned least_bits_v4 = 16;
constexpr unsigned least_bits_v6 = 48;

constexpr auto private_ranges =
    std::to_array<std::string_view>({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"});
constexpr std::string_view of_podman = "10.0.2.0/24"; // slirp4netns: the way out, and the name server

bool lies_in(const AddressBlock& inner, std::string_view outer) {
    const auto range = parse_subnet(outer);
    return range && is_within(*range, inner.address) && inner.bits >= range->bits;
}

} // namespace

std::optional<AddressBlock> parse_subnet(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    const std::uint64_t most = address->v6 ? 128 : 32;
    const auto bits =
        slash == std::string_view::npos ? std::optional(most) : parse_decimal(text.substr(slash + 1));
    if (!bits || *bits > most)
        return std::nullopt;
    return AddressBlock{false, *address, static_cast<std::uint8_t>(*bits)};
}

bool overlap(const AddressBlock& one, const AddressBlock& other) noexcept {
    return one.bits < other.bits ? is_within(one, other.address) : is_within(other, one.address);
}

std::string_view problem_of_subnet(const AddressBlock& subnet) noexcept {
    const auto holds = [&subnet](std::string_view range) {
        return lies_in(subnet, range);
    };
    if (std::none_of(private_ranges.begin(), private_ranges.end(), holds))
        return "is not private; take one within 172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8 or fd00::/8";
    if (subnet.bits < (subnet.address.v6 ? least_bits_v6 : least_bits_v4))
        return "is too large; take one of /16 or smaller, in IPv6 of /48 or smaller";
    if (subnet.bits > (subnet.address.v6 ? 126U : 30U))
        return "has no room for a gateway and a container; take one of /30 or larger, in IPv6 of /126";
    if (overlap(subnet, *parse_subnet(of_podman)))
        return "overlaps 10.0.2.0/24, which podman itself needs";
    return {};
}

} // namespace pgod

#include "core/subnet.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace pgod {

namespace {

constexpr unsigned least_bits_v4 = 16;
constexpr unsigned least_bits_v6 = 48;

constexpr auto private_ranges =
    std::to_array<std::string_view>({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"});
constexpr std::string_view of_podman = "10.0.2.0/24"; // slirp4netns: the way out, and the name server

bool is_within(const Subnet& inner, std::string_view outer) {
    const auto range = parse_subnet(outer);
    return range && overlap(inner, *range) && inner.bits >= range->bits;
}

} // namespace

std::optional<Subnet> parse_subnet(std::string_view text) {
    const auto slash = text.find('/');
    const std::string address(text.substr(0, slash));
    Subnet subnet;
    subnet.is_v6 = address.find(':') != std::string::npos;
    const unsigned most = subnet.is_v6 ? 128 : 32;
    subnet.bits = most;
    if (::inet_pton(subnet.is_v6 ? AF_INET6 : AF_INET, address.c_str(), subnet.address.data()) != 1)
        return std::nullopt;
    if (slash == std::string_view::npos)
        return subnet;
    const auto bits = parse_decimal(text.substr(slash + 1));
    if (!bits || *bits > most)
        return std::nullopt;
    subnet.bits = static_cast<unsigned>(*bits);
    return subnet;
}

bool overlap(const Subnet& one, const Subnet& other) noexcept {
    if (one.is_v6 != other.is_v6)
        return false;
    const unsigned bits = std::min(one.bits, other.bits);
    for (unsigned i = 0; i < bits; ++i) {
        const unsigned mask = 0x80U >> (i % 8);
        if ((one.address[i / 8] & mask) != (other.address[i / 8] & mask))
            return false;
    }
    return true;
}

std::string_view problem_of_subnet(const Subnet& subnet) noexcept {
    const auto holds = [&subnet](std::string_view range) {
        return is_within(subnet, range);
    };
    if (std::none_of(private_ranges.begin(), private_ranges.end(), holds))
        return "is not private; take one within 172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8 or fd00::/8";
    if (subnet.bits < (subnet.is_v6 ? least_bits_v6 : least_bits_v4))
        return "is too large; take one of /16 or smaller, in IPv6 of /48 or smaller";
    if (overlap(subnet, *parse_subnet(of_podman)))
        return "overlaps 10.0.2.0/24, which podman itself needs";
    return {};
}

} // namespace pgod

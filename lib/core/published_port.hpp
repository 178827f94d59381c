// A --publish value as structure: host ports, the address they are bound to, and the container's ports.
#pragma once

#include "base/result.hpp"
#include "core/plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct PublishedPort {
    std::string address;          // empty: all addresses
    std::uint16_t host_first = 0; // 0: podman picks a free one
    std::uint16_t host_last = 0;
    std::uint16_t container_first = 0;
    std::uint16_t container_last = 0;
    std::string protocol = "tcp"; // tcp, udp, sctp
    bool is_random() const noexcept { return host_first == 0; }
    bool operator==(const PublishedPort&) const = default;
};

// "80", "8080:80", "8000-8010:80-90/udp", "127.0.0.1:8080:80", "[::1]::80". Nothing else: podman reads the
// value as a line of CSV, so a comma or a quote would be more than one port. The error's message is the
// problem.
Result<PublishedPort> parse_published_port(std::string_view value);

std::string publish_value(const PublishedPort& port); // the other way round

// Host and container ports go on where those of `before` end, at the same address.
bool follows(const PublishedPort& before, const PublishedPort& port) noexcept;

std::vector<PublishedPort> published_ports(const PlannedContainer& container);

} // namespace pgod

#include "core/published_port.hpp"

#include "base/text.hpp"
#include "core/findings.hpp"
#include "core/plan_shapes.hpp"

#include <array>
#include <optional>

namespace pgod {

namespace {

struct Ends {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto port = parse_decimal(text);
    if (!port || *port == 0 || *port > 65535 || text.size() > 5)
        return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

std::optional<Ends> parse_ends(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = parse_port(text.substr(0, dash));
    if (!first)
        return std::nullopt;
    if (dash == std::string_view::npos)
        return Ends{*first, *first};
    const auto last = parse_port(text.substr(dash + 1));
    if (!last || *last <= *first)
        return std::nullopt;
    return Ends{*first, *last};
}

Error malformed(std::string_view value) {
    return {Code::invalid,
            quoted_value(value) + " is not [ADDRESS:][HOST_PORT:]CONTAINER_PORT[/tcp|/udp|/sctp]"};
}

} // namespace

Result<PublishedPort> parse_published_port(std::string_view value) {
    PublishedPort port;
    auto rest = value;
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
        port.protocol = rest.substr(slash + 1);
        if (port.protocol != "tcp" && port.protocol != "udp" && port.protocol != "sctp")
            return malformed(value);
        rest = rest.substr(0, slash);
    }
    bool bracketed = false;
    if (rest.starts_with('[')) {
        const auto end = rest.find("]:");
        if (end == std::string_view::npos)
            return malformed(value);
        bracketed = true;
        port.address = rest.substr(1, end - 1);
        rest = rest.substr(end + 2);
    }
    auto fields = split(rest, ':');
    if (!bracketed && fields.size() == 3) {
        port.address = fields.front();
        fields.erase(fields.begin());
        if (port.address.empty())
            return malformed(value);
    } else if (fields.size() > 2 || (bracketed && fields.size() != 2)) {
        return malformed(value);
    }
    if (!port.address.empty() && !is_ip_address(port.address))
        return malformed(value);
    if (bracketed && port.address.find(':') == std::string::npos)
        return malformed(value);
    if (port.address == "0.0.0.0")
        port.address.clear();

    const auto container = parse_ends(fields.back());
    if (!container)
        return malformed(value);
    port.container_first = container->first;
    port.container_last = container->last;
    if (fields.size() == 1 || fields.front().empty())
        return port;
    if (fields.front() == "0")
        return Error{Code::invalid,
                     quoted_value(value) + " names host port 0; leave it out for a random one"};
    const auto host = parse_ends(fields.front());
    if (!host)
        return malformed(value);
    if (host->last - host->first != container->last - container->first)
        return Error{Code::invalid,
                     quoted_value(value) + " has host and container ranges of different lengths"};
    port.host_first = host->first;
    port.host_last = host->last;
    return port;
}

std::string publish_value(const PublishedPort& port) {
    const auto ends = [](std::uint16_t first, std::uint16_t last) {
        return first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
    };
    const bool is_v6 = port.address.find(':') != std::string::npos;
    std::string text = is_v6 ? "[" + port.address + "]:" : port.address.empty() ? "" : port.address + ":";
    if (!port.is_random())
        text += ends(port.host_first, port.host_last) + ":";
    else if (!text.empty())
        text += ":";
    return text + ends(port.container_first, port.container_last) +
           (port.protocol == "tcp" ? "" : "/" + port.protocol);
}

bool follows(const PublishedPort& before, const PublishedPort& port) noexcept {
    return !before.is_random() && !port.is_random() && before.address == port.address &&
           before.protocol == port.protocol && port.host_first == before.host_last + 1 &&
           port.container_first == before.container_last + 1;
}

std::vector<PublishedPort> published_ports(const PlannedContainer& container) {
    std::vector<PublishedPort> ports;
    for (const auto& option : container.options) {
        if (option.flag != "--publish")
            continue;
        if (auto port = parse_published_port(option.value))
            ports.push_back(std::move(*port));
    }
    return ports;
}

} // namespace pgod

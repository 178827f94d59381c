#include "compose/subnets.hpp"

#include "base/text.hpp"
#include "core/subnet.hpp"
#include "os/safe_path.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <memory>

namespace pgod::compose {

namespace {

constexpr std::size_t max_resolv_conf = 64 << 10; // bytes

struct FreeAddresses {
    void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

std::string text_of_address(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address == nullptr)
        return {};
    if (address->sa_family == AF_INET)
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text.data(),
                    text.size());
    if (address->sa_family == AF_INET6)
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text.data(),
                    text.size());
    return text.data();
}

// Address → whose it is.
std::vector<std::pair<std::string, std::string>> addresses_of_the_host() {
    std::vector<std::pair<std::string, std::string>> found;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) == 0) {
        const std::unique_ptr<ifaddrs, FreeAddresses> owner(list);
        for (const auto* one = list; one != nullptr; one = one->ifa_next)
            if (auto text = text_of_address(one->ifa_addr); !text.empty())
                found.emplace_back(std::move(text),
                                   fmt::format("the address of {} on this host", one->ifa_name));
    }
    const Fd file(::open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const auto text = file ? os::read_file(file.get(), max_resolv_conf) : Result<std::string>(std::string());
    for (const auto line : split(text ? std::string_view(*text) : std::string_view(), '\n')) {
        const auto words = split(trimmed(line), ' ');
        if (words.size() > 1 && words.front() == "nameserver")
            found.emplace_back(words[1], "a name server of this host");
    }
    return found;
}

Error overlaps(const PlannedNetwork& planned, const std::string& subnet, const std::string& other) {
    return Error{Code::permanent, fmt::format("networks: {}: its subnet {} overlaps {}; choose another one",
                                              planned.name, subnet, other)};
}

} // namespace

Result<std::vector<std::string>> networks_in_the_way(const PlannedNetwork& planned,
                                                     const std::map<std::string, FoundNetwork>& found,
                                                     const std::vector<std::string>& obsolete) {
    std::vector<std::string> in_the_way;
    for (const auto& option : planned.options) {
        const auto subnet = option.flag == "--subnet" ? parse_subnet(option.value) : std::nullopt;
        if (!subnet)
            continue;
        const auto holds = [&subnet](std::string_view text) {
            const auto other = parse_subnet(text);
            return other && overlap(*subnet, *other);
        };
        for (const auto& [address, owner] : addresses_of_the_host())
            if (holds(address))
                return overlaps(planned, option.value, fmt::format("{}, {}", address, owner));
        for (const auto& [name, network] : found) {
            const auto other = std::find_if(network.subnets.begin(), network.subnets.end(), holds);
            if (name == planned.name || other == network.subnets.end())
                continue;
            if (std::find(obsolete.begin(), obsolete.end(), name) == obsolete.end())
                return overlaps(planned, option.value, fmt::format("{} of the network {}", *other, name));
            in_the_way.push_back(name);
        }
    }
    return in_the_way;
}

std::string options_text(const PlannedNetwork& network) {
    std::string text;
    for (const auto& option : network.options)
        text.append(text.empty() ? "" : " ").append(podman_argument(option));
    return text;
}

} // namespace pgod::compose

#include "compose/host_addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <array>
#include <memory>

namespace pgod::compose {

namespace {

struct FreeAddresses {
    void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

std::string text_of(const sockaddr* address) {
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

} // namespace

std::vector<HostAddress> addresses_of_this_host() {
    std::vector<HostAddress> found;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0)
        return found;
    const std::unique_ptr<ifaddrs, FreeAddresses> owner(list);
    for (const auto* one = list; one != nullptr; one = one->ifa_next)
        if (auto text = text_of(one->ifa_addr); !text.empty())
            found.push_back({std::move(text), one->ifa_name});
    return found;
}

} // namespace pgod::compose

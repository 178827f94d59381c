// The addresses of this host's interfaces, in the kernel's order: all of IPv4, then those of IPv6.
#pragma once

#include <string>
#include <vector>

namespace pgod::compose {

struct HostAddress {
    std::string text;
    std::string interface;
};

std::vector<HostAddress> addresses_of_this_host(); // none where the kernel does not say

} // namespace pgod::compose

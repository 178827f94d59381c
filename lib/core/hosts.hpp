// What pgoctl knows of hosts beforehand: the defaults of each, and names for several of them. Plain data,
// made by lib/config from the person's own file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgod {

inline constexpr std::size_t max_hosts = 64; // that one call of pgoctl goes to

struct HostDefaults {
    std::optional<std::uint16_t> port;
    std::string identity; // a file, or $NAME; empty: the usual places
    std::string host_key; // the pin, SHA256:…; empty: known_hosts
};

struct HostBook {
    std::map<std::string, HostDefaults, std::less<>> hosts;
    std::map<std::string, std::vector<std::string>, std::less<>> groups;
};

} // namespace pgod

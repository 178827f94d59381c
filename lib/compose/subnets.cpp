#include "compose/subnets.hpp"

#include "base/text.hpp"
#include "compose/host_addresses.hpp"
#include "core/subnet.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr std::size_t max_resolv_conf = 64 << 10; // bytes

// Address → whose it is.
std::vector<std::pair<std::string, std::string>> addresses_in_use() {
    std::vector<std::pair<std::string, std::string>> found;
    for (auto& [text, interface] : addresses_of_this_host())
        found.emplace_back(std::move(text), fmt::format("the address of {} on this host", interface));
    const Fd file(::open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const auto text = file ? os::read_file(file.get(), max_resolv_conf) : Result<std::string>(std::string());
    for (const auto line : split(text ? std::string_view(*text) : std::string_view(), '\n')) {
        const auto words = split(trimmed(line), ' ');
        if (words.size() > 1 && words.front() == "nameserver")
            found.emplace_back(words[1], "a name server of this host");
    }
    return found;
}

void refuse_overlap(const PlannedNetwork& planned, const std::string& subnet, const std::string& other,
                    Findings& findings) {
    Violation violation{
        {}, "networks", fmt::format("{}: its subnet {} overlaps {}", planned.name, subnet, other), {}};
    violation.advice = "choose another one";
    findings.keep(std::move(violation));
}

} // namespace

std::vector<std::string> networks_in_the_way(const PlannedNetwork& planned,
                                             const std::map<std::string, FoundNetwork>& found,
                                             const std::vector<std::string>& obsolete, Findings& findings) {
    std::vector<std::string> in_the_way;
    for (const auto& option : planned.options) {
        const auto subnet = option.flag == "--subnet" ? parse_subnet(option.value) : std::nullopt;
        if (!subnet)
            continue;
        const auto holds = [&subnet](std::string_view text) {
            const auto other = parse_subnet(text);
            return other && overlap(*subnet, *other);
        };
        for (const auto& [address, owner] : addresses_in_use())
            if (holds(address))
                refuse_overlap(planned, option.value, fmt::format("{}, {}", address, owner), findings);
        for (const auto& [name, network] : found) {
            const auto other = std::find_if(network.subnets.begin(), network.subnets.end(), holds);
            if (name == planned.name || other == network.subnets.end())
                continue;
            if (std::find(obsolete.begin(), obsolete.end(), name) == obsolete.end())
                refuse_overlap(planned, option.value, fmt::format("{} of the network {}", *other, name),
                               findings);
            else
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

#include "core/plan_networks.hpp"

#include "base/text.hpp"
#include "core/allowance.hpp"
#include "core/plan_shapes.hpp"

#include <algorithm>
#include <set>

namespace pgod {

namespace {

constexpr std::string_view of_container = "container:";

bool is_interface(std::string_view text) {
    return is_object_name(text) && text.size() <= 15 && text != "lo"; // 15 is the kernel's own limit
}

} // namespace

std::vector<std::string_view> network_names(const PlanOption& option) {
    const std::string_view value = option.value;
    if (option.flag != "--network" || is_network_mode(value) || value.starts_with(of_container))
        return {};
    return split(value.substr(0, value.find(':')), ',');
}

std::optional<std::string_view> shared_container(std::string_view value) {
    if (!value.starts_with(of_container))
        return std::nullopt;
    return value.substr(of_container.size());
}

std::optional<std::string_view> container_shared_by(const PlanOption& option) {
    return option.flag == "--network" ? shared_container(option.value) : std::nullopt;
}

bool are_network_options(std::string_view text) {
    std::set<std::string_view> seen;
    for (const auto option : split(text, ',')) {
        const auto equals = option.find('=');
        if (equals == std::string_view::npos)
            return false;
        const auto name = option.substr(0, equals);
        const auto value = option.substr(equals + 1);
        const bool fits =
            (name == "ip" && is_ip_address(value) && value.find(':') == std::string_view::npos) ||
            (name == "ip6" && is_ip_address(value) && value.find(':') != std::string_view::npos) ||
            (name == "mac" && is_mac_address(value)) || (name == "interface_name" && is_interface(value));
        if (!fits || !seen.insert(name).second)
            return false;
    }
    return true;
}

bool is_mac_address(std::string_view value) noexcept {
    if (value.size() != 17)
        return false;
    for (std::size_t i = 0; i < value.size(); ++i)
        if (i % 3 == 2 ? value[i] != ':'
                       : std::string_view("0123456789abcdefABCDEF").find(value[i]) == std::string_view::npos)
            return false;
    return std::string_view("13579bdfBDF").find(value[1]) == std::string_view::npos; // else it is of a group
}

} // namespace pgod

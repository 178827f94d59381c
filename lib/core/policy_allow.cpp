#include "core/policy_allow.hpp"

#include "core/allowance.hpp"
#include "core/places.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pgod {

namespace {

constexpr auto granted_flags = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"--cap-add", "cap_add"},
    {"--device", "devices"},
    {"--security-opt", "security_opt"},
    {"--sysctl", "sysctls"},
});

std::string grant_of(std::string_view word) {
    return "allow = [" + quoted_value(word) + "]";
}

bool has_host_network(const PlannedContainer& container) {
    return std::any_of(container.options.begin(), container.options.end(), [](const PlanOption& option) {
        return option.flag == "--network" && option.value == "host";
    });
}

} // namespace

void judge_allowed(const PlannedContainer& container, std::span<const std::string> allow,
                   Findings& findings) {
    const auto has = [allow](std::string_view word) {
        return std::find(allow.begin(), allow.end(), word) != allow.end();
    };
    const bool host_network = has_host_network(container);
    if (host_network && !has(allow_host_network))
        findings.add(container.service, "network_mode", "\"host\" is not allowed",
                     grant_of(allow_host_network));
    for (const auto& option : container.options) {
        const auto row = std::find_if(granted_flags.begin(), granted_flags.end(),
                                      [&option](const auto& one) { return one.first == option.flag; });
        if (row == granted_flags.end())
            continue;
        const std::string setting(row->second);
        findings.about(item_of(option.flag, option.value));
        const auto word = needed_allowance(option);
        if (!word)
            findings.refuse(container.service, setting, quoted_value(option.value) + " is not allowed");
        else if (!word->empty() && !has(*word))
            findings.add(container.service, setting, quoted_value(option.value) + " is not allowed",
                         grant_of(*word));
        else if (host_network && word->starts_with("sysctl:net."))
            findings.refuse(container.service, setting,
                            quoted_value(option.value) +
                                " would change the host beside \"network_mode: host\"");
    }
    findings.about({});
}

} // namespace pgod

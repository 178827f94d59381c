#include "core/places.hpp"

#include "base/text.hpp"
#include "core/published_port.hpp"

#include <utility>

namespace pgod {

std::string item_of(std::string_view flag, const std::string& value) {
    if (flag == "--publish") {
        const auto port = parse_published_port(value);
        if (!port)
            return {};
        return (port->is_random() ? ":" + std::to_string(port->container_first)
                                  : std::to_string(port->host_first)) +
               "/" + port->protocol;
    }
    if (flag == "--volume") {
        const auto parts = split(value, ':');
        return std::string(parts.size() > 1 ? parts[1] : parts.front());
    }
    for (const auto& [name, end] : {std::pair{"--env", '='},
                                    {"--sysctl", '='},
                                    {"--label", '='},
                                    {"--ulimit", '='},
                                    {"--device", ':'},
                                    {"--tmpfs", ':'},
                                    {"--add-host", ':'}})
        if (flag == name)
            return value.substr(0, value.find(end));
    return value;
}

void locate(std::vector<Violation>& violations, const Places& places) {
    for (auto& one : violations) {
        if (!one.place.empty())
            continue;
        auto setting = one.setting;
        auto found = places.find({one.service, setting, one.item});
        if (found == places.end())
            found = places.find({one.service, setting, ""});
        while (found == places.end() && !setting.empty()) { // the setting that holds it
            const auto dot = setting.rfind('.');
            setting = dot == std::string::npos ? "" : setting.substr(0, dot);
            found = places.find({one.service, setting, ""});
        }
        if (found == places.end())
            continue;
        one.place = found->second.place;
        if (one.value.empty() && setting == one.setting)
            one.value = found->second.value;
    }
}

} // namespace pgod

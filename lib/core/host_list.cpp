#include "core/host_list.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod {

namespace {

Error invalid(std::string message) {
    return Error{Code::invalid, std::move(message)};
}

// As it stands in a target.
std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

Result<std::vector<std::string>> hosts_of(std::string_view text, const HostBook& book) {
    std::vector<std::string> hosts;
    for (const auto item : split(text, ',')) {
        if (item.empty())
            return invalid(
                fmt::format("\"{}\" has a comma without a host: write HOST,HOST:SERVICE//OPERATION",
                            escaped(shortened(text, 80))));
        if (!item.starts_with('@')) {
            hosts.emplace_back(item);
            continue;
        }
        const auto group = book.groups.find(item.substr(1));
        if (group == book.groups.end())
            return invalid(fmt::format("there is no group \"{}\": name its hosts under [groups] in pgoctl's "
                                       "config.toml",
                                       escaped(shortened(item.substr(1), 60))));
        for (const auto& host : group->second)
            hosts.push_back(bracketed(host));
    }
    return hosts;
}

} // namespace

Status check_host(std::string_view host) {
    if (host.empty() || host.find_first_of(",[]") != std::string_view::npos)
        return invalid(
            fmt::format("\"{}\" is not the name or the address of one host", escaped(shortened(host, 60))));
    TRY(parse_target(bracketed(std::string(host)) + ":x//ping"));
    return ok();
}

Result<std::vector<Target>> parse_targets(std::string_view text, const HostBook& book) {
    const auto slashes = text.find("//");
    const auto colon = slashes == std::string_view::npos ? slashes : text.rfind(':', slashes);
    const auto list = text.substr(0, colon == std::string_view::npos ? 0 : colon);
    if (list.find(',') == std::string_view::npos && !list.starts_with('@'))
        return std::vector<Target>{TRY(parse_target(text))};
    std::vector<Target> targets;
    for (const auto& host : TRY(hosts_of(list, book))) {
        auto target = TRY(parse_target(host + std::string(text.substr(colon))));
        const bool known = std::any_of(targets.begin(), targets.end(),
                                       [&target](const Target& other) { return other.host == target.host; });
        if (!known)
            targets.push_back(std::move(target));
    }
    if (targets.size() > max_hosts)
        return invalid(
            fmt::format("{} hosts are more than one call goes to: at most {}", targets.size(), max_hosts));
    return targets;
}

} // namespace pgod

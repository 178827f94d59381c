#include "config/order.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

namespace pgod::config {

namespace {

using Named = std::map<std::string_view, const Service*>;

// The names from `from` back to `to`, along `after`; empty: there is no such way. Each service is gone
// through once, so it ends also where others go round in a circle.
std::vector<std::string_view> way_back(const Named& named, const Service& from, std::string_view to,
                                       std::set<std::string_view>& seen) {
    if (from.name == to)
        return {from.name};
    if (!seen.insert(from.name).second)
        return {};
    for (const auto& name : from.after) {
        const auto next = named.find(name);
        if (next == named.end())
            continue;
        if (auto way = way_back(named, *next->second, to, seen); !way.empty()) {
            way.insert(way.begin(), from.name);
            return way;
        }
    }
    return {};
}

} // namespace

void check_order(const toml::array& tables, const std::vector<Service>& services, Complaints& errors) {
    Named named;
    for (const auto& service : services)
        named.emplace(service.name, &service);
    std::set<std::string_view> in_a_circle; // said once
    for (std::size_t index = 0; index < services.size(); ++index) {
        const auto& service = services[index];
        const auto* entries = tables[index].as_table()->get("after");
        for (const auto& name : service.after) {
            const auto other = named.find(name);
            if (other == named.end()) {
                errors.add(entries->source(), fmt::format("after names \"{}\", which is no service", name));
                continue;
            }
            std::set<std::string_view> seen;
            const auto way = way_back(named, *other->second, service.name, seen);
            if (way.empty() || in_a_circle.contains(service.name))
                continue;
            in_a_circle.insert(way.begin(), way.end());
            errors.add(entries->source(), fmt::format("after goes round in a circle: {} after {}",
                                                      service.name, fmt::join(way, " after ")));
        }
    }
}

} // namespace pgod::config

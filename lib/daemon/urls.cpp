#include "daemon/urls.hpp"

#include <algorithm>
#include <tuple>

namespace pgod::daemon {

void Urls::follow(const Config& config) {
    sites_.clear();
    for (const auto& service : config.services)
        for (const auto& [name, forward] : service.urls)
            sites_.push_back({name, service.name, forward});
    std::sort(sites_.begin(), sites_.end(), [](const Site& one, const Site& other) {
        return std::tie(one.service, one.name) < std::tie(other.service, other.name);
    });
    if (config.proxy)
        proxy_.want(*config.proxy, render_proxy_file(*config.proxy, sites_));
    else
        proxy_.leave_alone();
}

std::vector<std::string> Urls::problems_of(const Service& service) const {
    const bool has_any = std::any_of(sites_.begin(), sites_.end(),
                                     [&service](const Site& site) { return site.service == service.name; });
    if (!has_any || proxy_.problem().empty())
        return {};
    return {proxy_.problem()};
}

} // namespace pgod::daemon

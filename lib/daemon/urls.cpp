#include "daemon/urls.hpp"

#include "os/log.hpp"

#include <algorithm>

namespace pgod::daemon {

void Urls::follow(const Config& config, const UrlClaims& claims) {
    auto served = served_urls(config.services, claims);
    for (const auto& [service, sentences] : served.refused)
        if (const auto before = served_.refused.find(service);
            before == served_.refused.end() || before->second != sentences)
            for (const auto& sentence : sentences)
                os::log_warning("{}: {}", service, sentence);
    served_ = std::move(served);
    if (config.proxy)
        proxy_.want(*config.proxy, render_proxy_file(*config.proxy, served_.sites));
    else
        proxy_.leave_alone();
}

std::vector<Site> Urls::sites_of(const Service& service) const {
    std::vector<Site> found;
    std::copy_if(served_.sites.begin(), served_.sites.end(), std::back_inserter(found),
                 [&service](const Site& site) { return site.service == service.name; });
    return found;
}

std::vector<std::string> Urls::taken_from(const Service& service) const {
    return names_taken_from(service, served_.sites);
}

std::vector<std::string> Urls::problems_of(const Service& service) const {
    std::vector<std::string> found;
    if (!proxy_.problem().empty() && !sites_of(service).empty())
        found.push_back(proxy_.problem());
    if (const auto refused = served_.refused.find(service.name); refused != served_.refused.end())
        found.insert(found.end(), refused->second.begin(), refused->second.end());
    return found;
}

} // namespace pgod::daemon

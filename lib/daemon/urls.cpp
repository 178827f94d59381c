#include "daemon/urls.hpp"

#include "os/log.hpp"

#include <algorithm>

namespace pgod::daemon {

void Urls::follow(const Config& config, const UrlClaims& claims) {
    const auto refused_before = std::move(choices_.front().refused);
    if (config.proxy) {
        const auto& settings = *config.proxy;
        const auto loaded = ProxyFiles(settings, config.state).loaded().value_or("");
        const auto loaded_sites = sites_in(loaded);
        choices_ = url_choices(config.services, claims, [&](const Site& site) {
            return loaded_sites.contains(render_site(settings, site));
        });
        std::vector<std::string> texts;
        for (const auto& choice : choices_)
            texts.push_back(render_proxy_file(settings, choice.sites));
        proxy_.want(settings, std::move(texts));
    } else {
        choices_ = {served_urls(config.services, claims)};
        proxy_.leave_alone();
    }
    for (const auto& [service, sentences] : choices_.front().refused)
        if (const auto before = refused_before.find(service);
            before == refused_before.end() || before->second != sentences)
            for (const auto& sentence : sentences)
                os::log_warning("{}: {}", service, sentence);
}

std::vector<Site> Urls::sites_of(const Service& service) const {
    const auto& sites = served().sites; // by service
    const auto begin = std::ranges::lower_bound(sites, service.name, {}, &Site::service);
    const auto end = std::ranges::upper_bound(sites, service.name, {}, &Site::service);
    return {begin, end};
}

std::vector<std::string> Urls::taken_from(const Service& service) const {
    return names_taken_from(service,
                            choices_.front().sites); // a name that was set aside is held all the same
}

std::vector<std::string> Urls::problems_of(const Service& service) const {
    std::vector<std::string> found;
    if (!proxy_.problem().empty() && !sites_of(service).empty())
        found.push_back(proxy_.problem());
    const auto& all_refused = served().refused;
    if (const auto refused = all_refused.find(service.name); refused != all_refused.end())
        found.insert(found.end(), refused->second.begin(), refused->second.end());
    return found;
}

} // namespace pgod::daemon

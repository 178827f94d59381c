#include "core/url_claims.hpp"

#include "base/text.hpp"
#include "core/dns_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace pgod {

namespace {

// ":5007", a port of this host.
std::optional<std::uint16_t> port_of(std::string_view text) {
    if (!text.starts_with(':'))
        return std::nullopt;
    const auto number = parse_decimal(text.substr(1));
    if (!number || *number == 0 || *number > 65535)
        return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

struct Refusal {
    std::string problem;
    std::string grant; // as Violation::grant
};

std::optional<Refusal> refusal(const UrlClaim& claim, const std::vector<std::string>& domains,
                               const std::optional<std::vector<PortRange>>& ports) {
    if (std::none_of(domains.begin(), domains.end(),
                     [&claim](const auto& domain) { return is_covered_by(claim.name, domain); }))
        return Refusal{"is not a name that this service was given",
                       fmt::format("domains = [\"{}\"]", wildcard_above(claim.name).value_or(claim.name))};
    if (!ports || std::none_of(ports->begin(), ports->end(),
                               [&claim](const auto& range) { return range.contains(claim.port); }))
        return Refusal{fmt::format("leads to port {}, which is not one of this service's own", claim.port),
                       fmt::format("ports = [\"{}/0\"]", claim.port)};
    return std::nullopt;
}

constexpr std::string_view held = "belongs to another service";
constexpr std::string_view not_accepted =
    "was asked for lately, and the reverse proxy does not accept its configuration with it; pgod's log has "
    "its words";

} // namespace

std::vector<UrlClaim> claims_of(const Model& model) {
    std::vector<UrlClaim> claims;
    std::set<std::string> seen;
    for (const auto& [text, value] : model.urls) {
        auto name = dns_name(text);
        const auto port = port_of(value);
        if (name && port && claims.size() < max_url_claims && seen.insert(*name).second)
            claims.push_back({std::move(*name), *port, {}});
    }
    return claims;
}

void judge_urls(const Model& model, const UrlGrants& grants, Findings& findings) {
    const std::string setting = "x-pgo";
    if (model.urls.size() > max_url_claims)
        findings.add({}, setting, fmt::format("asks for more than {} urls", max_url_claims));
    std::set<std::string> seen;
    for (const auto& [text, value] : model.urls) {
        const std::string url = "url " + quoted_value(text) + ' ';
        const auto name = dns_name(text);
        const auto port = port_of(value);
        if (!name) {
            findings.add({}, setting, url + "is not a DNS name");
        } else if (!port) {
            findings.add({}, setting, url + "must lead to \":PORT\" in quotes, not " + quoted_value(value));
        } else if (!seen.insert(*name).second) {
            findings.add({}, setting, url + "is there twice");
        } else if (auto refused = refusal({*name, *port, {}}, grants.domains, grants.ports)) {
            findings.add({}, setting, url + refused->problem, std::move(refused->grant));
        } else if (std::find(grants.taken.begin(), grants.taken.end(), *name) != grants.taken.end()) {
            findings.add({}, setting, url + std::string(held));
        }
    }
}

ServedUrls served_urls(std::span<const Service> services, const UrlClaims& claims, const Names& aside) {
    std::map<std::string, Site> sites;
    for (const auto& service : services)
        for (const auto& [name, forward] : service.urls)
            sites.emplace(name, Site{name, service.name, forward});
    ServedUrls served;
    const auto refuse = [&served](const std::string& service, const UrlClaim& claim, std::string_view why) {
        served.refused[service].push_back(fmt::format("url \"{}\" is not served: it {}", claim.name, why));
    };
    std::vector<std::tuple<reconcile::Time, std::string_view, const UrlClaim*>> oldest_first;
    for (const auto& service : services) {
        const auto found = claims.find(service.name);
        if (found == claims.end())
            continue;
        for (const auto& claim : found->second) {
            if (const auto refused = refusal(claim, service.domains, service.ports))
                refuse(service.name, claim, refused->problem);
            else
                oldest_first.emplace_back(claim.since, service.name, &claim);
        }
    }
    std::sort(oldest_first.begin(), oldest_first.end());
    for (const auto& [since, service, claim] : oldest_first) {
        const auto [holder, is_new] =
            sites.emplace(claim->name, Site{claim->name, std::string(service), {"", claim->port}});
        if (!is_new && holder->second.service != service) {
            refuse(std::string(service), *claim, held);
        } else if (is_new && aside.contains(claim->name)) {
            refuse(std::string(service), *claim, not_accepted);
            sites.erase(holder);
        } else if (is_new) {
            served.claimed.push_back(holder->second);
        }
    }
    for (auto& [name, site] : sites)
        served.sites.push_back(std::move(site));
    std::stable_sort(served.sites.begin(), served.sites.end(),
                     [](const Site& one, const Site& other) { return one.service < other.service; });
    return served;
}

std::vector<ServedUrls> url_choices(std::span<const Service> services, const UrlClaims& claims,
                                    const std::function<bool(const Site&)>& is_loaded) {
    std::vector<ServedUrls> choices{served_urls(services, claims)};
    Names all;
    std::vector<std::pair<std::string, Names>>
        fresh; // by service, the one whose last claim is the newest first
    const auto& claimed = choices.front().claimed;
    for (auto site = claimed.rbegin(); site != claimed.rend(); ++site) {
        if (is_loaded(*site))
            continue;
        const auto same = [&site](const auto& one) {
            return one.first == site->service;
        };
        auto group = std::find_if(fresh.begin(), fresh.end(), same);
        if (group == fresh.end())
            group = fresh.insert(fresh.end(), {site->service, {}});
        group->second.insert(site->name);
        all.insert(site->name);
    }
    for (const auto& [service, names] : fresh)
        if (fresh.size() > 1 && choices.size() + 1 < max_url_choices)
            choices.push_back(served_urls(services, claims, names));
    if (!fresh.empty())
        choices.push_back(served_urls(services, claims, all));
    return choices;
}

std::vector<std::string> names_taken_from(const Service& service, std::span<const Site> sites) {
    std::vector<std::string> taken;
    std::size_t bytes = 0;
    for (const auto& site : sites) {
        const auto covers = [&site](const std::string& domain) {
            return is_covered_by(site.name, domain);
        };
        if (site.service == service.name ||
            std::none_of(service.domains.begin(), service.domains.end(), covers))
            continue;
        bytes += site.name.size();
        if (bytes > max_taken_bytes)
            break;
        taken.push_back(site.name);
    }
    return taken;
}

} // namespace pgod

// The DNS names that repositories ask for (x-pgo: {urls: …}) under names that the admin gave their services
// (`domains`), and which names are served in the end. Pure. The worker, who is the service's user, judges
// them before anything is touched; what it reports is judged again by the same rules where the names are
// handed out.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"
#include "core/proxy.hpp"
#include "core/service.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace pgod {

inline constexpr std::size_t max_url_claims = 64; // of a service

struct UrlClaim {
    std::string name;        // core/dns_name.hpp, no wildcard
    std::uint16_t port = 0;  // of this host
    reconcile::Time since{}; // when what runs was first seen to ask for it: the first one keeps the name
    bool operator==(const UrlClaim&) const = default;
};

// Those of x-pgo that are well formed; at most max_url_claims.
std::vector<UrlClaim> claims_of(const Model& model);

struct UrlGrants {
    std::vector<std::string> domains;
    std::optional<std::vector<PortRange>> ports;
    std::vector<std::string> taken; // names beneath `domains` that others hold
};
void judge_urls(const Model& model, const UrlGrants& grants, Findings& findings);

using UrlClaims = std::map<std::string, std::vector<UrlClaim>>; // by service

struct ServedUrls {
    std::vector<Site> sites;   // by service and name
    std::vector<Site> claimed; // those of them that repositories ask for, oldest first
    std::map<std::string, std::vector<std::string>> refused; // by service: a sentence for each name
};
using Names = std::set<std::string, std::less<>>;
// The admin's names come first, then claims by their age. Those that are set aside are not served.
ServedUrls served_urls(std::span<const Service> services, const UrlClaims& claims, const Names& aside = {});

// What to offer a proxy that may refuse a name that some repository asks for, which must not keep the others
// from being served: first everything; then without what one service asks for and the proxy does not serve
// yet, the newest such service first; at last without all of that. So one service cannot hold up the others,
// and several can hold up new names of repositories only.
inline constexpr std::size_t max_url_choices = 12;
std::vector<ServedUrls> url_choices(std::span<const Service> services, const UrlClaims& claims,
                                    const std::function<bool(const Site&)>& is_loaded);

// The names of others that `service` might ask for, at most max_taken_bytes of them in all; a clash with one
// that is left out is found once it is claimed.
inline constexpr std::size_t max_taken_bytes = std::size_t{16} * 1024;
std::vector<std::string> names_taken_from(const Service& service, std::span<const Site> sites);

} // namespace pgod

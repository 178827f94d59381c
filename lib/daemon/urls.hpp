// Urls: which DNS name leads to which service, and the reverse proxy that is told so. Runs in the supervisor,
// from the loop.
#pragma once

#include "core/url_claims.hpp"
#include "daemon/reverse_proxy.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

class Urls {
  public:
    Urls(EventLoop& loop, const std::string& state_directory)
        : proxy_(loop, state_directory) {}

    void follow(const Config& config, const UrlClaims& claims); // as they are now

    std::vector<Site> sites_of(const Service& service) const;
    std::vector<std::string> taken_from(const Service& service) const; // names that others hold

    // What keeps the names of a service from being served; one sentence each.
    std::vector<std::string> problems_of(const Service& service) const;

  private:
    const ServedUrls& served() const { return choices_[proxy_.choice()]; }

    std::vector<ServedUrls> choices_{1}; // core/url_claims.hpp; the proxy says which of them it takes
    ReverseProxy proxy_;
};

} // namespace pgod::daemon

// Urls: which DNS name leads to which service, and the reverse proxy that is told so. Runs in the supervisor,
// from the loop.
#pragma once

#include "core/proxy.hpp"
#include "core/service.hpp"
#include "daemon/reverse_proxy.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

class Urls {
  public:
    Urls(EventLoop& loop, const std::string& state_directory)
        : proxy_(loop, state_directory) {}

    void follow(const Config& config); // as it is now

    // What keeps the names of a service from being served; one sentence each.
    std::vector<std::string> problems_of(const Service& service) const;

  private:
    std::vector<Site> sites_; // by service and name
    ReverseProxy proxy_;
};

} // namespace pgod::daemon

// What the supervisor says about services: `list` and `status`, as text for people and as JSON. Pure: state
// in, text out. Foreign text (a reason, a name of a container) is escaped.
#pragma once

#include "core/proxy.hpp"
#include "core/reconcile.hpp"
#include "core/service.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

struct ServiceView {
    const Service& service;
    const reconcile::State& state;
    std::vector<std::string> containers; // "NAME STATE"; empty when nobody looked
    std::vector<std::string> warnings;
    std::vector<Site> sites = {}; // where its DNS names lead
    std::vector<std::string> notes =
        {}; // of what runs: what of its compose file has no effect; as containers
};

std::string list_text(const std::vector<ServiceView>& services);
std::string list_json(const std::vector<ServiceView>& services);
std::string status_text(const ServiceView& view, reconcile::Time now);
std::string status_json(const ServiceView& view);

} // namespace pgod::daemon

// What the user's podman has: networks and volumes, each listed at most once, and only when somebody asks.
// For the checks of one plan, between which nothing is made or removed.
#pragma once

#include "compose/podman.hpp"

#include <map>
#include <optional>
#include <string>

namespace pgod::compose {

class FoundObjects {
  public:
    explicit FoundObjects(const Podman& podman)
        : podman_(podman) {}

    // Valid as long as this is; never nullptr.
    Result<const std::map<std::string, FoundNetwork>*> networks() {
        if (!networks_)
            networks_ = TRY(podman_.networks());
        return &*networks_;
    }

    Result<const std::map<std::string, std::string>*> volumes() { // name → owner
        if (!volumes_)
            volumes_ = TRY(podman_.volumes());
        return &*volumes_;
    }

  private:
    const Podman& podman_;
    std::optional<std::map<std::string, FoundNetwork>> networks_;
    std::optional<std::map<std::string, std::string>> volumes_;
};

} // namespace pgod::compose

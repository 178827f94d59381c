// BaseNames: what the names of images in a Containerfile mean, the same as in a compose file
// (core/image_name.hpp). Outside of the jail it says what to fetch; inside, podman reads it as a file of
// settings. Runs in the worker, as the service's user.
#pragma once

#include "compose/podman.hpp"
#include "core/plan.hpp"

#include <map>
#include <optional>
#include <string>

namespace pgod::compose {

class BaseNames {
  public:
    BaseNames(const Podman& podman, const Plan& plan, const PlannedBuild& build)
        : podman_(podman)
        , plan_(plan)
        , build_(build) {}

    Result<std::string> complete(const std::string& written);

    std::string settings() const; // containers-registries.conf(5)
    // Why the build fails, if it needs that image: pgod builds each by itself, and Docker Hub's image of the
    // same name would be a stranger's.
    const std::optional<Error>& made_by_another_build() const { return another_; }

  private:
    const Podman& podman_;
    const Plan& plan_;
    const PlannedBuild& build_;
    std::map<std::string, std::string> meanings_; // both without tags
    std::optional<Error> another_;
};

} // namespace pgod::compose

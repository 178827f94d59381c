#include "compose/granted_objects.hpp"

#include "core/mount.hpp"
#include "core/plan_networks.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace pgod::compose {

namespace {

class GrantedObjects {
  public:
    GrantedObjects(const Work& work, const Plan& plan)
        : work_(work) {
        for (const auto& network : plan.networks)
            own_networks_.insert(network.name);
        for (const auto& volume : plan.volumes)
            own_volumes_.insert(volume.name);
    }

    Status check(const PlannedContainer& container) {
        for (const auto& option : container.options) {
            for (const auto name : network_names(option))
                TRY(check_network(container, std::string(name)));
            if (const auto mount = mount_of(option); mount && mount->kind == MountKind::volume)
                TRY(check_volume(container, mount->source));
        }
        return ok();
    }

  private:
    Status check_network(const PlannedContainer& container, const std::string& name) {
        if (own_networks_.contains(name))
            return ok();
        if (!networks_) // podman is asked only when there is one
            networks_ = TRY(work_.podman.networks());
        return networks_->contains(name) ? ok() : missing(container, "network", name);
    }

    Status check_volume(const PlannedContainer& container, const std::string& name) {
        if (own_volumes_.contains(name))
            return ok();
        if (!volumes_)
            volumes_ = TRY(work_.podman.volumes());
        return volumes_->contains(name) ? ok() : missing(container, "volume", name);
    }

    static Status missing(const PlannedContainer& container, const char* kind, const std::string& name) {
        return Error{Code::transient, fmt::format("{0}: {1}s: podman has no {1} {2} for this user; "
                                                  "make it with podman {1} create {2}",
                                                  container.service, kind, name)};
    }

    const Work& work_;
    std::set<std::string> own_networks_, own_volumes_;
    std::optional<std::map<std::string, FoundNetwork>> networks_;
    std::optional<std::map<std::string, std::string>> volumes_; // name → owner
};

} // namespace

Status check_granted_objects(const Work& work, const Plan& plan) {
    GrantedObjects objects(work, plan);
    for (const auto& container : plan.containers)
        TRY(objects.check(container));
    return ok();
}

} // namespace pgod::compose

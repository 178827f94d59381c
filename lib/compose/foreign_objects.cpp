#include "compose/foreign_objects.hpp"

#include "base/text.hpp"
#include "compose/subnets.hpp"
#include "core/object_names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

// A container of this service goes before the network does.
const Container* stranger_in(const std::string& network, const std::string& service,
                             std::span<const Container> seen) {
    const auto found = std::find_if(seen.begin(), seen.end(), [&](const Container& one) {
        return one.owner != service &&
               std::find(one.networks.begin(), one.networks.end(), network) != one.networks.end();
    });
    return found == seen.end() ? nullptr : &*found;
}

Status check_networks(const Work& work, const Plan& plan, std::span<const Container> seen,
                      const Record* running) {
    const auto has = [running](const PlannedNetwork& network) {
        return running != nullptr && std::any_of(running->plan.networks.begin(), running->plan.networks.end(),
                                                 [&network](const PlannedNetwork& one) {
                                                     return one.name == network.name &&
                                                            one.internal == network.internal &&
                                                            one.options == network.options;
                                                 });
    };
    if (std::all_of(plan.networks.begin(), plan.networks.end(), has))
        return ok();
    const auto there = TRY(work.podman.networks());
    for (const auto& network : plan.networks) {
        const auto found = there.find(network.name);
        if (found == there.end() || owner_by_name(network.name) != work.job.service)
            continue; // what the admin grants by its name belongs to nobody
        if (is_foreign(found->second, work.job.service, plan))
            return foreign_network(network.name);
        if (found->second.internal == network.internal && found->second.options == options_text(network))
            continue;
        if (const auto* other = stranger_in(network.name, work.job.service, seen))
            return Error{
                Code::permanent,
                fmt::format("networks: {0} must be recreated because its settings changed, but container "
                            "{1} is in it; run podman network disconnect {0} {1}",
                            network.name, escaped(other->name))};
    }
    return ok();
}

Status check_volumes(const Work& work, const Plan& plan, const Record* running) {
    const auto has = [running](const PlannedVolume& volume) {
        return running != nullptr &&
               std::any_of(running->plan.volumes.begin(), running->plan.volumes.end(),
                           [&volume](const PlannedVolume& one) { return one.name == volume.name; });
    };
    if (std::all_of(plan.volumes.begin(), plan.volumes.end(), has))
        return ok();
    const auto there = TRY(work.podman.volumes());
    for (const auto& volume : plan.volumes)
        if (const auto found = there.find(volume.name);
            found != there.end() && !found->second.empty() && found->second != work.job.service)
            return Error{Code::permanent,
                         fmt::format("volumes: {} belongs to service {}; give this one another name",
                                     volume.name, escaped(found->second))};
    return ok();
}

} // namespace

bool is_foreign(const FoundNetwork& network, const std::string& service, const Plan& plan) {
    return network.owner != service && (!network.owner.empty() || network.project != plan.project);
}

Error foreign_network(const std::string& name) {
    return {Code::permanent,
            fmt::format(
                "networks: podman of this user has a network {0} that is not of this service; remove it with "
                "podman network rm {0}, or use it as external with networks = [\"{0}\"] of the admin",
                name)};
}

Status check_foreign_objects(const Work& work, const Plan& plan, std::span<const Container> seen,
                             const Record* running) {
    TRY(check_networks(work, plan, seen, running));
    return check_volumes(work, plan, running);
}

} // namespace pgod::compose

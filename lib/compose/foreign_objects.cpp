#include "compose/foreign_objects.hpp"

#include "compose/subnets.hpp"
#include "core/object_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

void add(std::string setting, std::string problem, std::string advice, Findings& findings) {
    Violation violation{{}, std::move(setting), std::move(problem), {}};
    violation.advice = std::move(advice);
    findings.keep(std::move(violation));
}

Status check_networks(const Work& work, const Plan& plan, std::span<const Container> seen,
                      const Record* running, FoundObjects& objects, Findings& findings) {
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
    const auto& there = *TRY(objects.networks());
    for (const auto& network : plan.networks) {
        const auto found = there.find(network.name);
        if (found == there.end() || owner_by_name(network.name) != work.job.service)
            continue; // what the admin grants by its name belongs to nobody
        if (is_foreign(found->second, work.job.service, plan)) {
            refuse_foreign_network(network.name, findings);
            continue;
        }
        if (found->second.internal == network.internal && found->second.options == options_text(network))
            continue;
        if (const auto* other = stranger_in(network.name, work.job.service, seen))
            add("networks",
                fmt::format("{} must be recreated because its settings changed, but container {} is in it",
                            network.name, other->name),
                fmt::format("run podman network disconnect {} {}", network.name, other->name), findings);
    }
    return ok();
}

Status check_volumes(const Work& work, const Plan& plan, const Record* running, FoundObjects& objects,
                     Findings& findings) {
    const auto has = [running](const PlannedVolume& volume) {
        return running != nullptr &&
               std::any_of(running->plan.volumes.begin(), running->plan.volumes.end(),
                           [&volume](const PlannedVolume& one) { return one.name == volume.name; });
    };
    if (std::all_of(plan.volumes.begin(), plan.volumes.end(), has))
        return ok();
    const auto& there = *TRY(objects.volumes());
    for (const auto& volume : plan.volumes)
        if (const auto found = there.find(volume.name);
            found != there.end() && !found->second.empty() && found->second != work.job.service)
            add("volumes", fmt::format("{} belongs to service {}", volume.name, found->second),
                "give this one another name", findings);
    return ok();
}

} // namespace

bool is_foreign(const FoundNetwork& network, const std::string& service, const Plan& plan) {
    return network.owner != service && (!network.owner.empty() || network.project != plan.project);
}

void refuse_foreign_network(const std::string& name, Findings& findings) {
    add("networks", fmt::format("podman of this user has a network {} that is not of this service", name),
        fmt::format(
            "remove it with podman network rm {0}, or use it as external with networks = [\"{0}\"] of "
            "the admin",
            name),
        findings);
}

Status check_foreign_objects(const Work& work, const Plan& plan, std::span<const Container> seen,
                             const Record* running, FoundObjects& objects, Findings& findings) {
    TRY(check_networks(work, plan, seen, running, objects, findings));
    return check_volumes(work, plan, running, objects, findings);
}

} // namespace pgod::compose

#include "compose/granted_objects.hpp"

#include "compose/planning.hpp"
#include "core/findings.hpp"
#include "core/mount.hpp"
#include "core/plan_networks.hpp"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pgod::compose {

namespace {

template<typename Planned>
std::set<std::string> names_of(const std::vector<Planned>& planned) {
    std::set<std::string> names;
    for (const auto& one : planned)
        names.insert(one.name);
    return names;
}

void add_missing(const PlannedContainer& container, const char* kind, const std::string& name,
                 Findings& findings) {
    Violation missing{container.service,
                      fmt::format("{}s", kind),
                      fmt::format("podman has no {} {} for this user", kind, name),
                      {}};
    missing.advice = fmt::format("make it with podman {} create {}", kind, name);
    findings.keep(std::move(missing));
}

} // namespace

Status check_granted_objects(const Work& work, const Plan& plan, FoundObjects& objects) {
    Findings findings;
    const auto own_networks = names_of(plan.networks), own_volumes = names_of(plan.volumes);
    for (const auto& container : plan.containers)
        for (const auto& option : container.options) {
            for (const auto network : network_names(option))
                if (const std::string name(network);
                    !own_networks.contains(name) && !TRY(objects.networks())->contains(name))
                    add_missing(container, "network", name, findings);
            const auto mount = mount_of(option);
            if (mount && mount->kind == MountKind::volume && !own_volumes.contains(mount->source) &&
                !TRY(objects.volumes())->contains(mount->source))
                add_missing(container, "volume", mount->source, findings);
        }
    const auto missing = std::move(findings).take();
    if (missing.empty())
        return ok();
    say_all(work, missing);
    return Error{Code::transient, summary_of(missing)};
}

} // namespace pgod::compose

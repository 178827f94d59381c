#include "compose/shared_binds.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "core/allowance.hpp"
#include "core/findings.hpp"
#include "core/mount.hpp"
#include "core/paths.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

bool lies_in(const HostBind& inner, const HostBind& outer) {
    return outer.writable && !is_path_of_time(inner.source) && inner.source != outer.source &&
           is_at_or_beneath(inner.source, outer.source);
}

bool contains(std::span<const std::string> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string grant_of(bool granted, bool other_granted, const std::string& other) {
    const std::string grant = fmt::format("allow = [\"{}\"]", allow_nested_binds);
    if (granted)
        return fmt::format("{} of service {} too", grant, other);
    return grant + (other_granted ? fmt::format(", as for service {}", other) : " of both services");
}

} // namespace

std::vector<HostBind> host_binds(const Plan& plan, const std::string& stage) {
    std::vector<HostBind> found;
    for (const auto& container : plan.containers)
        for (const auto& option : container.options) {
            const auto bind = bind_of(option);
            if (!bind || is_at_or_beneath(bind->source, stage))
                continue;
            found.push_back({container.service, bind->source, !is_read_only(*bind)});
        }
    return found;
}

std::vector<HostBind> host_binds_of_inspect(std::string_view json) {
    std::vector<HostBind> found;
    const Json containers = parse_json(json);
    if (!containers.is_array())
        return found;
    for (const auto& container : containers)
        for (const auto& mount : items_of(container, "Mounts"))
            if (text_of(mount, "Type") == "bind")
                found.push_back({text_of(member_of(member_of(container, "Config"), "Labels"), "pgod.service"),
                                 text_of(mount, "Source"), flag_of(mount, "RW")});
    return found;
}

Result<std::vector<HostBind>> host_binds_of(const Podman& podman, const std::vector<std::string>& ids) {
    if (ids.empty())
        return std::vector<HostBind>{};
    Podman::Call call;
    call.arguments = {"inspect", "--type=container"};
    call.arguments.insert(call.arguments.end(), ids.begin(), ids.end());
    call.ends_with_us = true;
    const std::string answer = TRY(podman.must(call, "look at containers of this user", Code::transient));
    const Json list = parse_json(answer);
    if (!list.is_array() || list.size() != ids.size())
        return Error{Code::transient, "look at containers of this user: podman left some out"};
    return host_binds_of_inspect(answer);
}

std::vector<Violation> judge_shared_binds(std::span<const HostBind> ours, std::span<const HostBind> others,
                                          bool granted, std::span<const std::string> nesting) {
    Findings findings;
    for (const auto& mine : ours)
        for (const auto& other : others) {
            const bool other_granted = contains(nesting, other.service);
            if (granted && other_granted)
                continue;
            const bool is_inner = lies_in(mine, other);
            if (!is_inner && !lies_in(other, mine))
                continue;
            findings.add(mine.service, "volumes",
                         fmt::format("{} {} {}, which service {} mounts and {}", mine.source,
                                     is_inner ? "lies in" : "holds", other.source, other.service,
                                     is_inner ? "could change under it; mount the same directory there, or "
                                                "separate ones"
                                              : "which could be changed under it; mount it read-only, or "
                                                "separate directories"),
                         grant_of(granted, other_granted, other.service));
        }
    return std::move(findings).take();
}

Result<std::vector<Violation>> check_shared_binds(const Work& work, const Plan& plan) {
    const auto ours = host_binds(plan, work.directory.path_of("stage"));
    if (ours.empty())
        return std::vector<Violation>{};
    // A container that ends between the two calls is left out of the second one.
    constexpr int attempts = 3;
    for (int attempt = 1;; ++attempt) {
        std::vector<std::string> ids;
        for (const auto& container : TRY(work.podman.containers()))
            if (!container.owner.empty() && container.owner != work.job.service)
                ids.push_back(container.id);
        const auto others = host_binds_of(work.podman, ids);
        if (others)
            return judge_shared_binds(ours, *others, contains(work.job.allow, allow_nested_binds),
                                      work.job.nesting);
        if (attempt == attempts)
            return others.error();
    }
}

} // namespace pgod::compose

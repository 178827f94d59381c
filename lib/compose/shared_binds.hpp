// Host directories that several services of one user mount. A container that may write to a directory can put
// a link where another service mounts what lies beneath, and podman follows it when it starts that one again
// by itself, when nobody looks. So no service mounts what lies in a directory that a container of another
// service of this user may write to, nor the other way round, unless the admin grants nested-binds to both:
// the grant of one must not keep the other from healing. Looked at before anything goes down, and again once
// the new containers are there: of two deployments at the same time at least one sees the other.
//
// Run as the service's user. Services of different users are for the file permissions, and the configuration
// warns of them.
#pragma once

#include "compose/job.hpp"

#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

struct HostBind {
    std::string service; // ours: the compose service; another's: the service of pgod
    std::string source;  // absolute
    bool writable = true;
    bool operator==(const HostBind&) const = default;
};

// Those of the plan that are outside of its repository, and those of `podman inspect` for pgod's containers.
std::vector<HostBind> host_binds(const Plan& plan, const std::string& stage);
std::vector<HostBind> host_binds_of_inspect(std::string_view json);

// …of these containers, by their ids. Code::transient: podman left one out, which may have gone meanwhile.
Result<std::vector<HostBind>> host_binds_of(const Podman& podman, const std::vector<std::string>& ids);

// `granted`: this service has nested-binds. `nesting`: others that have it. Two that both have it may share.
std::vector<Violation> judge_shared_binds(std::span<const HostBind> ours, std::span<const HostBind> others,
                                          bool granted = false, std::span<const std::string> nesting = {});
Result<std::vector<Violation>> check_shared_binds(const Work& work, const Plan& plan);

} // namespace pgod::compose

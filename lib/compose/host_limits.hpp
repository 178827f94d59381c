// Host limits: what a plan asks of this host that podman would refuse only once the old containers are gone.
// Runs as the service's user, whose podman inherits the limits of this process. Reads files and asks nobody.
#pragma once

#include "base/identity.hpp"
#include "base/result.hpp"
#include "core/findings.hpp"
#include "core/plan.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pgod::compose {

inline constexpr std::uint64_t no_limit = UINT64_MAX;

struct HostLimits {
    unsigned first_port = 1024; // the lowest one that users may bind
    bool has_init = true;       // podman finds a program for `init: true`
    // The hard limit of a resource under the name that podman has for it, without RLIMIT_ and in lower case.
    // nullopt: podman does not know the name.
    std::function<std::optional<std::uint64_t>(std::string_view)> hard;
    // The highest ids that containers of the user have: as many as the user has subordinate ids. nullopt:
    // nobody knows, since another source than files gives them.
    std::optional<std::uint64_t> last_uid = {};
    std::optional<std::uint64_t> last_gid = {};
};

HostLimits limits_of_this_host(const Identity& user);

// Pure: how many ids a text like /etc/subuid gives the user; nullopt: it does not name the user.
std::optional<std::uint64_t> subordinate_ids(std::string_view text, const Identity& user);

// Pure: what this host refuses, with what its admin could do.
void check_limits(const Plan& plan, const HostLimits& limits, Findings& findings);

// …of the USER of its image, "UID", "UID:GID" or names.
void check_image_user(const PlannedContainer& container, const std::string& user, const HostLimits& limits,
                      Findings& findings);

// `here`: images that the user's podman has; one under localhost/ can come from nowhere else. Code::transient
// names the first that is missing: somebody may build it.
Status check_local_images(const Plan& plan, const std::set<std::string>& here);

// A value of --ulimit with the hard limit in the place of -1. podman 4.3 would ask the kernel for no limit,
// which it refuses to a user who has one.
std::string within_limits(const std::string& ulimit, const HostLimits& limits);

} // namespace pgod::compose

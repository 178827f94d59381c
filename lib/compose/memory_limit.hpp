// The memory limit of a build. The kernel bounds the memory of a cgroup, and a user may make one where the
// user's systemd runs and holds the memory controller (systemd.resource-control(5), Delegate=). Elsewhere a
// build has no memory limit. Runs in the worker, as the service's user.
#pragma once

#include "compose/podman.hpp"

#include <cstdint>
#include <optional>

namespace pgod::compose {

struct MemoryLimit {
    std::uint64_t bytes = 0;
    Argv scope; // the words that run a program, by its absolute path, within the limit
};

// Half of the host's memory: the other half is enough for the services that run beside a build. nullopt: this
// user cannot make such a cgroup. Starts one to find out.
std::optional<MemoryLimit> find_memory_limit();

// Does "cgroup.controllers" name the memory controller? Pure.
bool has_memory_controller(std::string_view controllers);

} // namespace pgod::compose

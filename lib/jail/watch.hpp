// The watch over a running build: pgod-build looks at the free space of one file system, many times a second,
// and ends the build that leaves less than a reserve. It also reads whether the kernel ended a process at the
// memory limit. Runs as the service's user.
#pragma once

#include "base/result.hpp"
#include "jail/jail.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace pgod::jail {

// Waits for the child `keeper` and returns its wait status. Code::permanent: the build used up the space, and
// none of its processes runs on. The caller must be the subreaper of the build.
Result<int> watch(pid_t keeper, const Reserve& reserve);

// Code::permanent: the kernel ended a process of our cgroup because the cgroup reached its limit.
Status check_memory(std::uint64_t limit);
bool names_oom_kill(std::string_view events); // text of memory.events (cgroup v2); pure

} // namespace pgod::jail

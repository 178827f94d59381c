// The jail's way to the outside network: slirp4netns(1), which serves one network namespace from outside of
// it. It reaches what the user reaches, and the names that the host's resolver knows, but not the host's
// loopback.
#pragma once

#include "base/result.hpp"

#include <sys/types.h>

namespace pgod::jail {

// For the network namespace of `pid`; returns when the network is up. It ends with the calling process, which
// must be root of a user namespace that owns, or is an ancestor of the one that owns, the network namespace.
Result<pid_t> start_network(pid_t pid);

} // namespace pgod::jail

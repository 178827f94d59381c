// The jail's way to the outside network: slirp4netns(1) or pasta(1), which serve one network namespace from
// outside of it. A build reaches what the user reaches, over IPv4, and the names that the host's resolver
// knows. Of the host's loopback it reaches that resolver alone: its port 53, through pasta also 853. Both
// give it the same address, gateway and resolver, and copy no address of the host. slirp4netns comes first
// where both are installed. Runs in pgod-build, as the service's user.
#pragma once

#include "base/result.hpp"

#include <sys/types.h>

namespace pgod::jail {

// For the network namespace of `pid`; returns when the network is up. The process that it returns, and all
// that belongs to it, ends with the calling process or by SIGKILL. The caller must be root of a user
// namespace that is an ancestor of the one that owns the network namespace.
Result<pid_t> start_network(pid_t pid);

// slirp4netns hands on packets to 127.0.0.0/8, and the kernel lets every process send them
// (`curl --interface tap0 127.0.0.1`): the reply is lost, but a datagram arrives. Takes away the way there,
// and what could bring it back, from this process's network namespace and from every program that it
// executes.
Status keep_from_the_hosts_loopback();

} // namespace pgod::jail

// "host-gateway", an address of `extra_hosts`: where this host is for a container. A plan and its record hold
// the word, the same on every host; what podman gets is decided when it is called. podman 5 knows the word.
// For an older one pgod writes the address that such a podman gives the name host.containers.internal: the
// first one of the host's interfaces, which a rootless container reaches as it does any other host. Runs as
// the service's user, in pgod-work.
#pragma once

#include "compose/host_addresses.hpp"
#include "compose/podman.hpp"
#include "core/findings.hpp"
#include "core/plan.hpp"

#include <span>
#include <string>
#include <string_view>

namespace pgod::compose {

inline constexpr std::string_view host_gateway_word = "host-gateway";

bool asks_for_host_gateway(std::span<const PlanOption> options);

// Pure. The address of "host-gateway"; empty: there is none. `configured`: host_containers_internal_ip of
// containers.conf, or empty.
std::string choose_host_gateway(std::string_view configured, std::span<const HostAddress> addresses);
std::string host_gateway_of_builds(); // for the jail of a build, whose podman knows other addresses
// What this podman needs in the place of the word: the word, an address, or nothing where there is none.
Result<std::string> host_gateway(const Podman& podman);

PlanOption with_host_gateway(const PlanOption& option, const std::string& gateway);

// podman refuses a container without the address only when the old one is gone.
Status check_host_gateway(const Podman& podman, const Plan& plan, Findings& findings);

} // namespace pgod::compose

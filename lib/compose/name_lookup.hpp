// look_up_name(): do containers of this user find each other by name? Only a container on a network can tell:
// podman says dns_enabled where no name server starts. So one is run, of the host's own /usr and thus without
// an image, on a network of its own. It asks for its alias, which only the network's name server knows.
//
// Runs as the service's user for about a second, or 5 where nobody answers; each call of podman has 15.
// Leaves nothing behind; if it is killed, the user's next look-up removes the network and the directory.
#pragma once

#include "base/identity.hpp"
#include "compose/podman.hpp"
#include "core/diagnosis.hpp"

#include <string>

namespace pgod::compose {

// `backend`: as `podman info` has it. An Error: it could not even be tried.
Result<NameLookup> look_up_name(const Podman& podman, const Identity& user, const std::string& backend);

} // namespace pgod::compose

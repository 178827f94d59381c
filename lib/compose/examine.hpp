// examine(): what `pgod --doctor` has to ask as the service's user: does rootless podman work for this user,
// does its OCI runtime get along with the host's cgroups, does podman-compose pass the self-test, is there
// room for images, does a container find another by its name, and can builds be confined. Leaves nothing
// behind.
#pragma once

#include "base/identity.hpp"
#include "compose/podman.hpp"

#include <functional>
#include <string>

namespace pgod::compose {

struct Examined {
    std::string check;
    std::string problem; // one sentence; empty: good
    std::string remedy;
};

// Once for each check. `builder`: the path of pgod-build, which makes a jail and runs true(1) in it.
void examine(const Podman& podman, const std::string& builder, const Identity& user,
             const std::function<void(Examined)>& tell);

} // namespace pgod::compose

// What a podman that was killed while it made or removed a container can leave: the name and the layer in its
// storage, which podman itself knows no container for. `podman ps` does not show it, and no container of that
// name can be made. Runs in the worker, as the service's user.
#pragma once

#include "compose/podman.hpp"

#include <string>

namespace pgod::compose {

// Where that is what holds the name, it is removed; true: it was. Containers that somebody builds with, which
// podman does not know either, are left alone.
bool remove_storage_container(const Podman& podman, const std::string& name);

} // namespace pgod::compose

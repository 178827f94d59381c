// podman's network namespace of a user, which all bridged containers of that user share. A podman that is
// killed while it makes or removes it leaves its name without the directories that go with it, and from then
// on no container of the user starts ("failed to mount runtime directory for rootless netns"; podman 4.3's
// libpod/networking_linux.go, podman issue 13703). podman 5 keeps it elsewhere and makes by itself what is
// missing. Runs in the worker, as the service's user.
#pragma once

#include "compose/podman.hpp"

namespace pgod::compose {

// Before containers are started: takes away what is half there, so that podman makes it anew. As long as a
// bridged container of the user runs, or podman itself is at it, it is left alone.
Status mend_rootless_network(const Podman& podman);

} // namespace pgod::compose

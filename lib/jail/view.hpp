// The view: what a build can see of the host. Read-only: /usr and what belongs to it, the certificates,
// accounts and container settings of /etc, /sys. Its own: /proc of its process namespace, a /dev of harmless
// devices, /tmp, /run and HOME in memory. Beside these, what the caller names. A build cannot see /home,
// /var, /srv, the sockets of /run and other services' directories. Runs as root of the jail's user namespace.
#pragma once

#include "jail/jail.hpp"

namespace pgod::jail {

// Makes it and moves into it; the calling process must be alone in a new mount namespace.
Status enter_view(const Jail& jail);

} // namespace pgod::jail

// relay_connection: stands between one user of this host and the supervisor. Runs in a process of its own,
// confined, as user pgod. From the user it takes one Ask within ten seconds, and hands on its bytes: whatever
// else was sent along, descriptors above all, is dropped here. From the supervisor it hands on every frame,
// with the ends of the operation's pipes or terminal, so that what passes through these passes through
// neither. Holds one frame; who does not read it makes the supervisor wait, and then give up. Who was handed
// descriptors and hangs up without taking them is waited for: until he does, or closes, this is one of his
// connections.
#pragma once

#include "os/line.hpp"

namespace pgod::daemon {

// Ends the process when either side leaves, and never closes `user` before: at a process's end the kernel
// waits for nobody whose descriptors it closes.
[[noreturn]] void relay_connection(os::Channel user, os::LowerEnd supervisor) noexcept;

} // namespace pgod::daemon

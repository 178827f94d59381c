// `exec [-t] SERVICE COMMAND [ARG…]`: a command in a running container. Its standard streams are ours, which
// are the client's pipes or terminal: podman reads and writes them itself, and nothing passes through this
// process.
//
// It ends with its client. Ending podman is not enough, for the command runs beneath conmon and stays (podman
// 4.3); so what runs inside is looked for, asked to hang up, and a second later killed. What the command put
// into a session of its own stays, as it does after an ssh(1).
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

// The exit status is the command's own, or podman's: 125 podman itself, 126 not executable, 127 not found.
JobResult run_inside(const Work& work);

} // namespace pgod::compose

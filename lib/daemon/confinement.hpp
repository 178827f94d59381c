// How an executable that serves the network gives everything up, before a byte of anybody's is read: an empty
// root directory, user pgod, no capability, no way to gain one, no core file, not to be traced. Started as an
// ordinary user it stays that user, and does the rest all the same.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "os/line.hpp"

#include <sys/resource.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::daemon {

struct Confinement {
    std::string user;            // whom to become; empty: stay who we are, which must not be root
    std::string empty_directory; // the root directory from then on: root's own, empty, nobody else may write
    std::string_view program;    // for messages
    rlim_t max_descriptors = 0;
};

Status confine(const Confinement& wanted);

// Soft and hard; a lower one of the administrator stays. Lowering never fails.
void lower_limit(__rlimit_resource resource, rlim_t value) noexcept;

// The line to the supervisor that pgod starts its roles with; an error when it is not there.
Result<os::LowerEnd> take_line(std::string_view program);

// What came with the first frame as listening sockets is nothing else.
Status confirm_listening(const std::vector<Fd>& sockets);

// Of a forked child: every descriptor above standard error but these. The parent's line to the supervisor
// would let it pretend connections.
void close_all_but(std::array<int, 3> kept) noexcept;

} // namespace pgod::daemon

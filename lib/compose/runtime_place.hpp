// Runtime place: a directory of the service beneath the user's runtime directory, which is in memory:
// $XDG_RUNTIME_DIR/pgod/SERVICE, or one in it. Only the user may enter it. A reboot and the end of the user's
// session empty it. Runs as the service's user.
#pragma once

#include "base/fd.hpp"
#include "compose/job.hpp"

#include <string>

namespace pgod::compose {

struct Place {
    Fd directory;
    std::string path;
};

// `name`: of a container, or empty: the service's own.
Result<Place> open_place(const Work& work, const std::string& name = {});
Result<Place> make_place(const Work& work, const std::string& name = {});
void remove_place(const Work& work, const std::string& name = {}); // best effort

} // namespace pgod::compose

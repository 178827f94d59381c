// Whether a file was edited or replaced since it was looked at last, without reading it.
#pragma once

#include <string>

namespace pgod::daemon {

// Size, time and identity; "-": it is not there.
std::string look_of(const std::string& path);

} // namespace pgod::daemon

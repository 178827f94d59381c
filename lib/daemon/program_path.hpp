// Where pgod's other executables are: beside the running one (a build directory, a prefix), else in libexec.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace pgod::daemon {

Result<std::string> program_path(std::string_view name);

} // namespace pgod::daemon

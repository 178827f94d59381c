// Crash points: the step boundaries of a deployment, by name. In pgod-work they are nothing. The worker that
// tests/system/test_crash.py uses is built with PGOD_CRASH_POINTS: the point that the service directory's
// file `crash-at` names ends it, or stops it so that the test can end pgod first
// (tests/system/crash/crash_point.cpp). That test reads the names from the sources, so that none is
// forgotten.
#pragma once

#include <string_view>

namespace pgod::compose {

#ifdef PGOD_CRASH_POINTS
void crash_point(std::string_view name);
void crash_points_of(std::string_view service_directory);
#else
constexpr void crash_point(std::string_view) noexcept {}
constexpr void crash_points_of(std::string_view) noexcept {}
#endif

} // namespace pgod::compose

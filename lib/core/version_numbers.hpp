// The numbers of the version of a program. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pgod {

// "4.3.1", also "1.7.0-rc1" or "1.7": as many as there are.
std::vector<std::uint64_t> version_numbers(std::string_view version);

} // namespace pgod

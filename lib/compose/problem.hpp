// Problem: the line by which podman says why a call failed, chosen from what it printed on stderr. Pure.
#pragma once

#include <string>
#include <string_view>

namespace pgod::compose {

// "Error: no such container web" → "no such container web". At most 400 bytes and an ellipsis, escaped.
std::string problem_of(std::string_view errors);

} // namespace pgod::compose

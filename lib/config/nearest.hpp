// What somebody who mistyped a word may have meant.
#pragma once

#include <span>
#include <string_view>

namespace pgod::config {

// The known word that is fewest edits away (a swap of neighbours is one), empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

} // namespace pgod::config

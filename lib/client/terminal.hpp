// Questions to a person, only where one sits: standard input and standard error are both terminals. Control-C
// at a question restores the terminal and ends pgoctl with 130. Runs in pgoctl.
#pragma once

#include "base/secret.hpp"

#include <optional>
#include <string_view>

namespace pgod::client {

bool somebody_is_there() noexcept;

std::optional<Secret> ask_secret(std::string_view question); // not echoed; nullopt: nobody is there
bool ask_yes(std::string_view question);                     // only the whole word "yes" is one

} // namespace pgod::client

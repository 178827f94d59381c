// The fingerprint of a host key as somebody writes it down to pin it. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace pgod {

// SHA256: and 43 characters of base64, with or without the padding that ssh-keygen leaves out; normalised.
Result<std::string> parse_pin(std::string_view text);

} // namespace pgod

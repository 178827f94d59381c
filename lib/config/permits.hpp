// The entries of `allow` and `networks`: text in, normalised text out, pure. Errors as in values.hpp.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace pgod::config {

Result<std::string> parse_allow(std::string_view text);   // "cap:net_admin" is "cap:NET_ADMIN"
Result<std::string> parse_network(std::string_view text); // a podman network of the user

} // namespace pgod::config

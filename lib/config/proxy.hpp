// The [proxy] table. Private to this folder.
#pragma once

#include "config/reader.hpp"
#include "core/service.hpp"

#include <optional>

namespace pgod::config {

// What is not given is as usual for its kind; absent: there is no such table.
std::optional<ProxySettings> read_proxy(const toml::table& root, Complaints& errors);

} // namespace pgod::config

// The order between services (`after`), once all of them are read: every name is that of another service, and
// nothing waits for itself. Private to this folder.
#pragma once

#include "config/reader.hpp"
#include "core/service.hpp"

#include <vector>

namespace pgod::config {

// `tables` are the [[services]], in the order of `services`.
void check_order(const toml::array& tables, const std::vector<Service>& services, Complaints& errors);

} // namespace pgod::config

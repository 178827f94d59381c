// Host ports that two services claim, once all of them are read: each port has one owner, and no name of one
// service leads to a port of another. (A DNS name that is given twice is found while reading.) Private to
// this folder.
#pragma once

#include "config/reader.hpp"
#include "core/service.hpp"

#include <vector>

namespace pgod::config {

// `tables` are the [[services]], in the order of `services`.
void check_clashes(const toml::array& tables, const std::vector<Service>& services, Complaints& errors);

} // namespace pgod::config

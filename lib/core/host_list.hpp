// Several hosts in one target: HOST,HOST:SERVICE//OPERATION, where @GROUP stands for the hosts of a group.
// Pure.
#pragma once

#include "core/command.hpp"
#include "core/hosts.hpp"

#include <string_view>
#include <vector>

namespace pgod {

// A name or an address without brackets, as a host's defaults and groups name it.
Status check_host(std::string_view host);

// Each host once, in the order in which they were given; at most max_hosts. Code::invalid says what to type.
Result<std::vector<Target>> parse_targets(std::string_view text, const HostBook& book);

} // namespace pgod

// The order between services (`after`): what one service waits for before a commit of it is deployed. Pure;
// the supervisor brings the states of the services that it comes after together.
#pragma once

#include "core/reconcile.hpp"

#include <string_view>

namespace pgod::reconcile {

// What stands in the way of a service that comes after `name`: put into `settings`, where what is already
// there stays. `other` is null as long as that service has not begun.
void look_at_other(Settings& settings, std::string_view name, const State* other);

} // namespace pgod::reconcile

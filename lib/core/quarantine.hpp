// Quarantine: the commits that are left alone, because they failed or because an operator holds them back.
// Pure; at most Durable::max_quarantine are remembered, the oldest goes first.
#pragma once

#include "core/durable.hpp"

#include <string>

namespace pgod::reconcile {

const Quarantined* find_quarantined(const Durable& durable, const std::string& commit); // null: it is not
void quarantine(Durable& durable, Quarantined entry); // in place of what was known of the commit
bool lift_quarantine(Durable& durable, const std::string& commit);
bool release_held(Durable& durable); // all that operators hold back

} // namespace pgod::reconcile

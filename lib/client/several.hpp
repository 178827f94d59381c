// One operation at several hosts at once: a process for each, what each says with its host before every line,
// and a summary. Runs in pgoctl.
#pragma once

#include "client/plan.hpp"

#include <functional>
#include <vector>

namespace pgod::client {

// `run` does one plan, in a process of its own, and is its exit status. With --json, standard output is one
// object instead: host → {status, output}. Returns the worst exit status (worst_status).
int run_at_several(const std::vector<Plan>& plans, const std::function<int(const Plan&)>& run);

// 0 is the best, then 75 (it goes on at the server); of others the larger is the worse. Pure.
int worse_status(int one, int other) noexcept;

} // namespace pgod::client

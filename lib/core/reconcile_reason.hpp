// Why a service is left as it is: the sentences that a client is told and that `why` repeats. Pure.
#pragma once

#include "core/reconcile.hpp"

#include <string>

namespace pgod::reconcile {

std::string brief(const std::string& commit); // the first eight digits, as people name commits

std::string why_suspended(const Suspension& suspension);
std::string why_it_runs(const std::string& commit);
std::string why_left_alone(const Quarantined& entry);
std::string why_held(const std::string& commit, const Settings& settings); // by what it comes after

// auto = false, and the tip is neither what runs nor what `up` has tried.
bool waits_for_up(const State& state, const Settings& settings);

// Empty: a poll or `sync` deploys the tip.
std::string why_not_deploy(const State& state, const Settings& settings, Time now);

} // namespace pgod::reconcile

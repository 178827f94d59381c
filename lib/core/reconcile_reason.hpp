// Why a poll leaves the tip alone: the one sentence that a client of `sync` is told. Pure.
#pragma once

#include "core/reconcile.hpp"

#include <string>

namespace pgod::reconcile {

std::string brief(const std::string& commit); // the first eight digits, as people name commits

// Empty: a poll or `sync` deploys the tip.
std::string why_not_deploy(const State& state, const Settings& settings, Time now);

} // namespace pgod::reconcile

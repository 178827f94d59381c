// The words for what reconcile has decided: what a client reads, and what `why` repeats. Text alone: nothing
// is decided by it. Pure.
#pragma once

#include "core/tip_decision.hpp"

#include <string>

namespace pgod::reconcile {

std::string brief(const std::string& commit); // the first eight digits, as people name commits

std::string text_of(const Passing& obstacle);
std::string text_of(const Lasting& obstacle);
std::string text_of(const Suspension& suspension);

std::string text_of(const Deploy& decision);
std::string text_of(const Suspended& decision);
std::string text_of(const Stopped& decision);
std::string text_of(const InQuarantine& decision);
std::string text_of(const WaitsForUp& decision);
std::string text_of(const HeldBy& decision);
std::string text_of(const RetryAt& decision);
std::string text_of(const GivenUp& decision);
std::string text_of(const UpToDate& decision);
std::string text_of(const TipDecision& decision);

} // namespace pgod::reconcile

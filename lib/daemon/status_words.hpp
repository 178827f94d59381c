// The small parts that all texts about services are made of.
#pragma once

#include "core/reconcile.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace pgod::daemon {

using Json = nlohmann::ordered_json;

std::string brief(const std::string& commit);        // eight digits; "-" for none
Json time_json(std::optional<reconcile::Time> time); // utc_text(); null for none
std::string ago(std::chrono::milliseconds span);     // "5 min ago"
std::string ahead(std::chrono::milliseconds span);   // "in 5 min"
std::string span_text(std::chrono::milliseconds span);
std::string dump(const Json& json); // valid UTF-8 whatever a git server or a container said

// shown_desired() with who, when, until and why.
std::string desired_text(const reconcile::Durable& durable);
Json suspension_json(const reconcile::Durable& durable);
// "poll in 3 min"; "retry in 12 s, poll in 3 min"; what it does now.
std::string next_text(const reconcile::State& state, reconcile::Time now);

} // namespace pgod::daemon

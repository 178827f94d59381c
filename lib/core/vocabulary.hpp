// The closed vocabularies of pgod: what operators ask for, what containers show, how a deployment ended.
// name_of() gives the one spelling used in messages, JSON, the database and the documents.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pgod {

enum class Desired { running, stopped, suspended };
enum class Health { healthy, progressing, degraded, missing, unknown };
enum class Outcome { ok, rejected, failed, rolled_back, superseded, cancelled };

// In the order of their values.
inline constexpr std::array all_desired{Desired::running, Desired::stopped, Desired::suspended};
inline constexpr std::array all_health{Health::healthy, Health::progressing, Health::degraded,
                                       Health::missing, Health::unknown};
inline constexpr std::array all_outcomes{Outcome::ok,          Outcome::rejected,   Outcome::failed,
                                         Outcome::rolled_back, Outcome::superseded, Outcome::cancelled};

// What a deployment began with: a poll, an operation of a client, a start of pgod, a changed configuration, a
// container that had died, going back, or trying again.
enum class Trigger { poll, command, start, config, heal, rollback, retry };

std::string_view name_of(Desired desired) noexcept;
std::string_view name_of(Health health) noexcept;
std::string_view name_of(Outcome outcome) noexcept;
std::string_view name_of(Trigger trigger) noexcept;
std::optional<Desired> desired_named(std::string_view name) noexcept;
std::optional<Outcome> outcome_named(std::string_view name) noexcept;
std::optional<Trigger> trigger_named(std::string_view name) noexcept;

} // namespace pgod

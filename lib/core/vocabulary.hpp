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

// What was decided about a service last. The text beside it is for people alone.
enum class DecisionKind {
    none,        // nothing was decided yet, or an earlier pgod kept the text alone
    unavailable, // the service cannot be served
    no_tip,      // upstream gave no commit
    deploying,   // also when an earlier version is being restored by hand
    up_to_date,  // the tip runs
    suspended,
    resumed,      // or a suspension ended by itself
    stopped,      // down or stop
    intent,       // an operator asked for another state, or that was taken back
    quarantined,  // or held back by an operator
    waits_for_up, // auto = false
    held_by,      // a service that it comes after is not as it should be
    waits_for_turn,
    retry_at, // after a transient failure
    given_up, // nothing tries the commit again by itself
    cancelled,
    rollback_failed,
};

std::string_view name_of(DecisionKind kind) noexcept;
std::optional<DecisionKind> decision_kind_named(std::string_view name) noexcept;
std::string_view name_of(Desired desired) noexcept;
std::string_view name_of(Health health) noexcept;
std::string_view name_of(Outcome outcome) noexcept;
std::string_view name_of(Trigger trigger) noexcept;
std::optional<Desired> desired_named(std::string_view name) noexcept;
std::optional<Outcome> outcome_named(std::string_view name) noexcept;
std::optional<Trigger> trigger_named(std::string_view name) noexcept;

} // namespace pgod

#include "core/vocabulary.hpp"

#include <array>
#include <utility>

namespace pgod {

namespace {

template<typename E, std::size_t N>
using Names = std::array<std::pair<E, std::string_view>, N>;

constexpr Names<Desired, 3> desired_names{{
    {Desired::running, "running"},
    {Desired::stopped, "stopped"},
    {Desired::suspended, "suspended"},
}};

constexpr Names<Health, 5> health_names{{
    {Health::healthy, "healthy"},
    {Health::progressing, "progressing"},
    {Health::degraded, "degraded"},
    {Health::missing, "missing"},
    {Health::unknown, "unknown"},
}};

constexpr Names<Outcome, 6> outcome_names{{
    {Outcome::ok, "ok"},
    {Outcome::rejected, "rejected"},
    {Outcome::failed, "failed"},
    {Outcome::rolled_back, "rolled-back"},
    {Outcome::superseded, "superseded"},
    {Outcome::cancelled, "cancelled"},
}};

constexpr Names<Trigger, 7> trigger_names{{
    {Trigger::poll, "poll"},
    {Trigger::command, "command"},
    {Trigger::start, "start"},
    {Trigger::config, "config"},
    {Trigger::heal, "heal"},
    {Trigger::rollback, "rollback"},
    {Trigger::retry, "retry"},
}};

constexpr Names<DecisionKind, 17> decision_kinds{{
    {DecisionKind::none, ""},
    {DecisionKind::unavailable, "unavailable"},
    {DecisionKind::no_tip, "no-tip"},
    {DecisionKind::deploying, "deploying"},
    {DecisionKind::up_to_date, "up-to-date"},
    {DecisionKind::suspended, "suspended"},
    {DecisionKind::resumed, "resumed"},
    {DecisionKind::stopped, "stopped"},
    {DecisionKind::intent, "intent"},
    {DecisionKind::quarantined, "quarantined"},
    {DecisionKind::waits_for_up, "waits-for-up"},
    {DecisionKind::held_by, "held-by"},
    {DecisionKind::waits_for_turn, "waits-for-turn"},
    {DecisionKind::retry_at, "retry-at"},
    {DecisionKind::given_up, "given-up"},
    {DecisionKind::cancelled, "cancelled"},
    {DecisionKind::rollback_failed, "rollback-failed"},
}};

template<typename Table, typename E>
std::string_view find_name(const Table& table, E value) noexcept {
    for (const auto& [entry, name] : table)
        if (entry == value)
            return name;
    return "unknown";
}

template<typename E, typename Table>
std::optional<E> find_value(const Table& table, std::string_view name) noexcept {
    for (const auto& [entry, spelling] : table)
        if (spelling == name)
            return entry;
    return std::nullopt;
}

} // namespace

std::string_view name_of(DecisionKind kind) noexcept {
    return find_name(decision_kinds, kind);
}

std::optional<DecisionKind> decision_kind_named(std::string_view name) noexcept {
    return find_value<DecisionKind>(decision_kinds, name);
}

std::string_view name_of(Desired desired) noexcept {
    return find_name(desired_names, desired);
}
std::string_view name_of(Health health) noexcept {
    return find_name(health_names, health);
}
std::string_view name_of(Outcome outcome) noexcept {
    return find_name(outcome_names, outcome);
}
std::string_view name_of(Trigger trigger) noexcept {
    return find_name(trigger_names, trigger);
}
std::optional<Desired> desired_named(std::string_view name) noexcept {
    return find_value<Desired>(desired_names, name);
}
std::optional<Outcome> outcome_named(std::string_view name) noexcept {
    return find_value<Outcome>(outcome_names, name);
}
std::optional<Trigger> trigger_named(std::string_view name) noexcept {
    return find_value<Trigger>(trigger_names, name);
}

} // namespace pgod

// TipDecision: what a poll or `sync` does about the tip of the branch, and why, as data. Pure. Each kind
// holds what its sentence needs (core/reconcile_reason).
#pragma once

#include "core/reconcile.hpp"

#include <string>
#include <utility>
#include <variant>

namespace pgod::reconcile {

struct Deploy {
    static constexpr DecisionKind kind = DecisionKind::deploying;
    std::string commit;
    bool operator==(const Deploy&) const = default;
};
struct Suspended {
    static constexpr DecisionKind kind = DecisionKind::suspended;
    std::string commit;
    Suspension suspension;
    bool operator==(const Suspended&) const = default;
};
struct Stopped {
    static constexpr DecisionKind kind = DecisionKind::stopped;
    std::string commit;
    Intent intent;
    bool operator==(const Stopped&) const = default;
};
struct InQuarantine {
    static constexpr DecisionKind kind = DecisionKind::quarantined;
    explicit InQuarantine(Quarantined found)
        : commit(found.commit)
        , entry(std::move(found)) {}
    std::string commit;
    Quarantined entry;
    bool operator==(const InQuarantine&) const = default;
};
struct WaitsForUp { // auto = false
    static constexpr DecisionKind kind = DecisionKind::waits_for_up;
    std::string commit;
    bool operator==(const WaitsForUp&) const = default;
};
struct HeldBy { // by a service that it comes after
    static constexpr DecisionKind kind = DecisionKind::held_by;
    std::string commit;
    Lasting obstacle;
    bool operator==(const HeldBy&) const = default;
};
struct RetryAt { // after a transient failure
    static constexpr DecisionKind kind = DecisionKind::retry_at;
    std::string commit;
    Time at{};
    std::string reason;
    bool operator==(const RetryAt&) const = default;
};
struct GivenUp { // it failed, and nothing tries it again by itself
    static constexpr DecisionKind kind = DecisionKind::given_up;
    std::string commit;
    Outcome outcome = Outcome::failed;
    std::string reason;
    bool operator==(const GivenUp&) const = default;
};
struct UpToDate {
    static constexpr DecisionKind kind = DecisionKind::up_to_date;
    std::string commit;
    bool operator==(const UpToDate&) const = default;
};

using TipDecision =
    std::variant<Deploy, Suspended, Stopped, InQuarantine, WaitsForUp, HeldBy, RetryAt, GivenUp, UpToDate>;

TipDecision decide_on_tip(const State& state, const Settings& settings, Time now);

inline DecisionKind kind_of(const TipDecision& decision) {
    return std::visit([](const auto& one) { return one.kind; }, decision);
}

inline bool deploys(const TipDecision& decision) {
    return std::holds_alternative<Deploy>(decision);
}

} // namespace pgod::reconcile

#include "core/tip_decision.hpp"

#include "core/quarantine.hpp"

namespace pgod::reconcile {

// In the order of what an operator has to end first.
TipDecision decide_on_tip(const State& state, const Settings& settings, Time now) {
    const Durable& durable = state.durable;
    const std::string& tip = state.tip;
    if (durable.suspension)
        return Suspended{tip, *durable.suspension};
    if (durable.intent.desired != Desired::running)
        return Stopped{tip, durable.intent};
    if (const auto* entry = find_quarantined(durable, tip))
        return InQuarantine(*entry);
    const bool ended = tip == durable.settled && !state.next_deploy; // its last deployment
    if (!settings.auto_deploy && !state.next_deploy && tip != state.running && !ended)
        return WaitsForUp{tip};
    if (settings.held_by && (!ended || state.needs_deploy))
        return HeldBy{tip, *settings.held_by};
    if (state.needs_deploy)
        return Deploy{tip};
    if (state.next_deploy)
        return now < *state.next_deploy ? TipDecision(RetryAt{tip, *state.next_deploy, durable.reason})
                                        : Deploy{tip};
    if (!ended)
        return Deploy{tip};
    if (!durable.reason.empty())
        return GivenUp{tip, durable.outcome.value_or(Outcome::failed), durable.reason};
    return UpToDate{tip};
}

} // namespace pgod::reconcile

#include "daemon/history_text.hpp"

#include "base/text.hpp"
#include "core/time_text.hpp"
#include "daemon/status_words.hpp"

#include <fmt/format.h>

namespace pgod::daemon {

namespace {

std::string outcome_of(const store::DeploymentRow& row) {
    if (row.removed)
        return "removed";
    return row.outcome ? std::string(name_of(*row.outcome)) : "running";
}

} // namespace

std::string history_text(const std::vector<store::DeploymentRow>& newest_first) {
    constexpr auto columns = "{:>6}  {:<20}  {:>7}  {:<8}  {:<8}  {:<11}  {}\n";
    std::string out =
        fmt::format(columns, "NUMBER", "STARTED", "TOOK", "TRIGGER", "COMMIT", "OUTCOME", "WHO AND WHY");
    for (const auto& row : newest_first) {
        std::string said = row.who;
        if (!row.reason.empty())
            said += (said.empty() ? "" : ": ") + row.reason;
        out += fmt::format(columns, row.number, reconcile::utc_text(row.started),
                           row.ended && !row.removed ? span_text(*row.ended - row.started) : "-",
                           name_of(row.trigger), brief(row.commit), outcome_of(row), escaped(said));
    }
    return out;
}

std::string history_json(const std::vector<store::DeploymentRow>& newest_first) {
    Json json = Json::array();
    for (const auto& row : newest_first)
        json.push_back({{"deployment", row.number},
                        {"commit", row.commit},
                        {"trigger", name_of(row.trigger)},
                        {"by", row.who},
                        {"started", reconcile::utc_text(row.started)},
                        {"ended", time_json(row.ended)},
                        {"outcome", outcome_of(row)},
                        {"cause", row.cause},
                        {"reason", row.reason}});
    return dump(json);
}

std::string why_text(const ServiceView& view, reconcile::Time now) {
    const auto& state = view.state;
    const auto& decision = state.durable.decision;
    return escaped(decision.sentence.empty() ? "nothing was decided yet" : decision.sentence) +
           (decision.at ? fmt::format(" ({}, {})", reconcile::utc_text(*decision.at), ago(now - *decision.at))
                        : "") +
           "\n" +
           escaped(fmt::format("desired {}; health {}; running {}; upstream {}; last good {}",
                               desired_text(state.durable), name_of(state.health), brief(state.running),
                               brief(state.tip), brief(state.durable.last_good))) +
           "\n" + escaped("next: " + next_text(state, now)) + "\n";
}

std::string why_json(const ServiceView& view) {
    const auto& state = view.state;
    const auto& durable = state.durable;
    Json json;
    json["decision"] = durable.decision.sentence;
    json["decided"] = time_json(durable.decision.at);
    json["desired"] = name_of(reconcile::shown_desired(durable));
    json["health"] = name_of(state.health);
    json["running"] = state.running;
    json["tip"] = state.tip;
    json["last_good"] = durable.last_good;
    json["next_poll"] = time_json(state.next_sync);
    json["next_retry"] = time_json(state.next_deploy);
    return dump(json);
}

} // namespace pgod::daemon

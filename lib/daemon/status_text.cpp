#include "daemon/status_text.hpp"

#include "base/text.hpp"
#include "core/time_text.hpp"
#include "daemon/status_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace pgod::daemon {

namespace {

struct PhaseName {
    using Name = std::string_view;
    Name operator()(const reconcile::phase::Unavailable&) const { return "unavailable"; }
    Name operator()(const reconcile::phase::Recovering&) const { return "starting"; }
    Name operator()(const reconcile::phase::Idle&) const { return "idle"; }
    Name operator()(const reconcile::phase::Syncing&) const { return "syncing"; }
    Name operator()(const reconcile::phase::Exporting&) const { return "staging"; }
    Name operator()(const reconcile::phase::Queued&) const { return "waiting for its turn"; }
    Name operator()(const reconcile::phase::Working& working) const {
        return working.reach == reconcile::Reach::preparing ? "preparing"
               : working.reach == reconcile::Reach::at_gate ? "waiting for its turn"
                                                            : "working";
    }
    Name operator()(const reconcile::phase::StillThere&) const { return "unavailable"; }
    Name operator()(const reconcile::phase::Gone&) const { return "unavailable"; }
};

std::string_view phase_name(const reconcile::State& state) {
    return std::visit(PhaseName{}, state.phase);
}

// The sentences that say why a service is not as one might expect, most telling first.
std::vector<std::string> problems(const ServiceView& view) {
    std::vector<std::string> found;
    const auto& state = view.state;
    if (const auto& reason = reconcile::why_unavailable(state); !reason.empty())
        found.push_back(reason);
    if (!state.durable.reason.empty())
        found.push_back(state.durable.reason);
    if (!state.drift.problem.empty())
        found.push_back(state.drift.problem);
    if (!state.sync_error.empty())
        found.push_back(state.sync_error);
    found.insert(found.end(), view.warnings.begin(), view.warnings.end());
    return found;
}

Json quarantine_json(const reconcile::Durable& durable) {
    Json json = Json::array();
    for (const auto& entry : durable.quarantine)
        json.push_back({{"commit", entry.commit},
                        {"reason", entry.reason},
                        {"since", reconcile::utc_text(entry.since)}});
    return json;
}

Json to_json(const ServiceView& view) {
    const auto& state = view.state;
    const auto& durable = state.durable;
    Json json;
    json["name"] = view.service.name;
    json["user"] = view.service.user;
    json["repository"] = view.service.repository.redacted();
    json["branch"] = view.service.branch;
    json["desired"] = name_of(reconcile::shown_desired(durable));
    if (durable.intent.since) {
        json["desired_by"] = durable.intent.by;
        json["desired_since"] = reconcile::utc_text(*durable.intent.since);
    }
    json["suspended"] = suspension_json(durable);
    json["health"] = name_of(state.health);
    json["phase"] = phase_name(state);
    json["running"] = state.running;
    json["tip"] = state.tip;
    json["last_good"] = durable.last_good;
    json["waiting"] = durable.waiting;
    json["quarantined"] = quarantine_json(durable);
    json["synced"] = time_json(state.synced);
    json["next_poll"] = time_json(state.next_sync);
    json["next_retry"] = time_json(state.next_deploy);
    json["deployment"] = durable.deployments;
    json["outcome"] = durable.outcome ? Json(name_of(*durable.outcome)) : Json(nullptr);
    json["reason"] = durable.reason;
    json["commit"] = durable.settled;
    json["decision"] = durable.decision.sentence;
    json["problems"] = problems(view);
    json["notes"] = view.notes;
    json["containers"] = view.containers;
    Json urls = Json::object();
    for (const auto& site : view.sites)
        urls[site.name] = fmt::format("{}:{}", site.to.host, site.to.port);
    json["urls"] = urls;
    return json;
}

} // namespace

std::string list_text(const std::vector<ServiceView>& services) {
    std::size_t width = 7;
    for (const auto& view : services)
        width = std::max(width, view.service.name.size());
    std::string out = fmt::format("{:<{}}  {:<9}  {:<11}  {:<8}  {:<8}  {}\n", "SERVICE", width, "DESIRED",
                                  "HEALTH", "RUNNING", "UPSTREAM", "LAST");
    for (const auto& view : services) {
        const auto& durable = view.state.durable;
        out += fmt::format("{:<{}}  {:<9}  {:<11}  {:<8}  {:<8}  {}\n", view.service.name, width,
                           name_of(reconcile::shown_desired(durable)), name_of(view.state.health),
                           brief(view.state.running), brief(view.state.tip),
                           durable.outcome ? name_of(*durable.outcome) : "-");
    }
    return out;
}

std::string list_json(const std::vector<ServiceView>& services) {
    Json json = Json::array();
    for (const auto& view : services)
        json.push_back(to_json(view));
    return dump(json);
}

std::string status_text(const ServiceView& view, reconcile::Time now) {
    const auto& state = view.state;
    const auto& durable = state.durable;
    std::string out;
    const auto row = [&out](std::string_view name, std::string_view value) {
        out += fmt::format("{:<11} {}\n", name, escaped(value));
    };
    row("service", view.service.name);
    row("user", view.service.user);
    row("repository", fmt::format("{} {}", view.service.repository.redacted(), view.service.branch));
    row("desired", desired_text(durable));
    row("health", name_of(state.health));
    row("doing", phase_name(state));
    row("running", brief(state.running));
    row("upstream", fmt::format("{}, {}", brief(state.tip),
                                state.synced ? "synced " + ago(now - *state.synced) : "never synced"));
    row("last good", brief(durable.last_good));
    if (!durable.waiting.empty())
        row("waiting", brief(durable.waiting) + ", for up");
    for (const auto& entry : durable.quarantine)
        row("quarantined", fmt::format("{} since {}: {}", brief(entry.commit),
                                       reconcile::utc_text(entry.since), entry.reason));
    if (durable.outcome)
        row("last", fmt::format("deployment {}: {}", durable.deployments, name_of(*durable.outcome)));
    if (!durable.decision.sentence.empty())
        row("decided", durable.decision.sentence);
    row("next", next_text(state, now));
    for (const auto& problem : problems(view))
        row("problem", problem);
    for (const auto& note : view.notes)
        row("note", note);
    for (const auto& container : view.containers)
        row("container", container);
    for (const auto& site : view.sites)
        row("url", fmt::format("{} -> {}:{}", site.name, site.to.host, site.to.port));
    return out;
}

std::string status_json(const ServiceView& view) {
    return dump(to_json(view));
}

} // namespace pgod::daemon

#include "daemon/status_text.hpp"

#include "base/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace pgod::daemon {

namespace {

using Json = nlohmann::ordered_json;

std::string brief(const std::string& commit) {
    return commit.empty() ? "-" : commit.substr(0, 8);
}

std::string time_text(reconcile::Time time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string_view phase_name(reconcile::Phase phase) {
    switch (phase) {
    case reconcile::Phase::unavailable:
        return "unavailable";
    case reconcile::Phase::recovering:
        return "starting";
    case reconcile::Phase::idle:
        return "idle";
    case reconcile::Phase::syncing:
        return "syncing";
    case reconcile::Phase::exporting:
        return "staging";
    case reconcile::Phase::working:
        return "working";
    }
    return "unknown";
}

// The sentences that say why a service is not as one might expect, most telling first.
std::vector<std::string> problems(const ServiceView& view) {
    std::vector<std::string> found;
    const auto& state = view.state;
    if (state.phase == reconcile::Phase::unavailable)
        found.push_back(state.unavailable);
    if (!state.durable.reason.empty())
        found.push_back(state.durable.reason);
    if (!state.sync_error.empty())
        found.push_back(state.sync_error);
    found.insert(found.end(), view.warnings.begin(), view.warnings.end());
    return found;
}

std::string age(std::chrono::milliseconds span) {
    const auto seconds = std::max<long long>(span.count() / 1000, 0);
    if (seconds < 120)
        return fmt::format("{} s ago", seconds);
    if (seconds < 7200)
        return fmt::format("{} min ago", seconds / 60);
    return fmt::format("{} h ago", seconds / 3600);
}

// JSON must be valid UTF-8 whatever a git server or a container said.
std::string dump(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json to_json(const ServiceView& view) {
    const auto& state = view.state;
    const auto& durable = state.durable;
    Json json;
    json["name"] = view.service.name;
    json["user"] = view.service.user;
    json["repository"] = view.service.repository.redacted();
    json["branch"] = view.service.branch;
    json["desired"] = name_of(durable.intent.desired);
    if (durable.intent.since) {
        json["desired_by"] = durable.intent.by;
        json["desired_since"] = time_text(*durable.intent.since);
    }
    json["health"] = name_of(state.health);
    json["phase"] = phase_name(state.phase);
    json["running"] = state.running;
    json["tip"] = state.tip;
    json["synced"] = state.synced ? Json(time_text(*state.synced)) : Json(nullptr);
    json["deployment"] = durable.deployments;
    json["outcome"] = durable.outcome ? Json(name_of(*durable.outcome)) : Json(nullptr);
    json["commit"] = durable.settled;
    json["problems"] = problems(view);
    json["containers"] = view.containers;
    Json urls = Json::object();
    for (const auto& [name, forward] : view.service.urls)
        urls[name] = fmt::format("{}:{}", forward.host, forward.port);
    json["urls"] = urls;
    return json;
}

} // namespace

std::string list_text(const std::vector<ServiceView>& services) {
    std::size_t width = 7;
    for (const auto& view : services)
        width = std::max(width, view.service.name.size());
    std::string out = fmt::format("{:<{}}  {:<9}  {:<11}  {:<8}  {}\n", "SERVICE", width, "DESIRED", "HEALTH",
                                  "RUNNING", "LAST");
    for (const auto& view : services) {
        const auto& durable = view.state.durable;
        out += fmt::format("{:<{}}  {:<9}  {:<11}  {:<8}  {}\n", view.service.name, width,
                           name_of(durable.intent.desired), name_of(view.state.health),
                           brief(view.state.running), durable.outcome ? name_of(*durable.outcome) : "-");
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
    std::string desired(name_of(durable.intent.desired));
    if (durable.intent.since)
        desired += fmt::format(", asked by {} at {}", durable.intent.by, time_text(*durable.intent.since));
    row("desired", desired);
    row("health", name_of(state.health));
    row("doing", phase_name(state.phase));
    row("running", brief(state.running));
    row("upstream", fmt::format("{}, {}", brief(state.tip),
                                state.synced ? "synced " + age(now - *state.synced) : "never synced"));
    if (durable.outcome)
        row("last", fmt::format("deployment {}: {}", durable.deployments, name_of(*durable.outcome)));
    for (const auto& problem : problems(view))
        row("problem", problem);
    for (const auto& container : view.containers)
        row("container", container);
    for (const auto& [name, forward] : view.service.urls)
        row("url", fmt::format("{} -> {}:{}", name, forward.host, forward.port));
    return out;
}

std::string status_json(const ServiceView& view) {
    return dump(to_json(view));
}

} // namespace pgod::daemon

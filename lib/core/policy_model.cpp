#include "core/policy_model.hpp"

#include "core/policy_settings.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace pgod {

namespace {

// podman-compose's own keys, honoured from 1.2 on: flags of podman, mappings of users, a root file system.
bool is_podman_extension(std::string_view key) {
    return key == "x-podman" || key.starts_with("x-podman.");
}

// The reader refuses what Compose does not know and what nothing permits (reader/table.py).
void judge_key(const std::string& service, const std::string& key, Findings& findings) {
    if (is_podman_extension(key))
        findings.unknown(service, quoted_value(key),
                         "would hand options to podman that nobody judged; remove it");
}

bool is_condition(std::string_view condition) {
    return condition.empty() || condition == "service_started" || condition == "service_healthy" ||
           condition == "service_completed_successfully";
}

// Services that take part in a cycle of depends_on, or wait for one: what is left when nothing more can
// start.
std::set<std::string> never_startable(const Model& model) {
    std::map<std::string_view, std::size_t> waits_for;
    std::map<std::string_view, std::vector<std::string_view>> waited_by;
    std::vector<std::string_view> ready;
    for (const auto& [name, service] : model.services) {
        std::size_t count = 0;
        for (const auto& [dependency, condition] : service.depends_on) {
            if (!model.services.contains(dependency))
                continue;
            waited_by[dependency].push_back(name);
            ++count;
        }
        waits_for[name] = count;
        if (count == 0)
            ready.push_back(name);
    }
    while (!ready.empty()) {
        const auto name = ready.back();
        ready.pop_back();
        waits_for.erase(name);
        for (const auto waiting : waited_by[name])
            if (--waits_for[waiting] == 0)
                ready.push_back(waiting);
    }
    std::set<std::string> left;
    for (const auto& [name, count] : waits_for)
        left.emplace(name);
    return left;
}

void judge_dependencies(const Model& model, Findings& findings) {
    for (const auto& [name, service] : model.services) {
        for (const auto& [dependency, condition] : service.depends_on) {
            if (!model.services.contains(dependency))
                findings.add(name, "depends_on", quoted_value(dependency) + " is not a service of this file");
            if (!is_condition(condition))
                findings.add(name, "depends_on", "condition " + quoted_value(condition) + " is unknown");
        }
    }
    for (const auto& name : never_startable(model))
        findings.add(name, "depends_on", "waits for itself, directly or through others");
}

// podman-compose keeps one of two services that share a container_name, and says nothing.
void judge_lost_services(const Plan& plan, Findings& findings) {
    std::set<std::string_view> planned;
    for (const auto& container : plan.containers)
        planned.insert(container.service);
    for (const auto& [name, service] : plan.model.services) {
        const bool may_have_none =
            std::any_of(service.keys.begin(), service.keys.end(),
                        [](const std::string& key) { return key == "deploy" || key == "scale"; });
        if (!planned.contains(name) && !may_have_none)
            findings.add(name, "container_name",
                         "podman-compose makes no container of this service; another one "
                         "has the same container_name");
    }
}

} // namespace

void judge_model(const Plan& plan, Findings& findings) {
    for (const auto& key : plan.model.keys)
        judge_key({}, key, findings);
    for (const auto& [name, service] : plan.model.services)
        for (const auto& key : service.keys)
            judge_key(name, key, findings);
    judge_settings(plan.model, findings);
    judge_dependencies(plan.model, findings);
    judge_lost_services(plan, findings);
}

} // namespace pgod

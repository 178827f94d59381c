#include "compose/record.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "core/plan_canonical.hpp"

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr int format = 1; // of record.json; another one is not read, and the service is deployed anew

Json options_to_json(const std::vector<PlanOption>& options) {
    Json list = Json::array();
    for (const auto& option : options)
        list.push_back({option.flag, option.value});
    return list;
}

std::vector<PlanOption> options_from_json(const Json& object) {
    std::vector<PlanOption> options;
    for (const auto& item : items_of(object, "options"))
        if (item.is_array() && item.size() == 2)
            options.push_back({text_of(item[0]), text_of(item[1])});
    return options;
}

Json plan_to_json(const Plan& plan) {
    Json json{{"project", plan.project}, {"files", plan.files}};
    for (const auto& build : plan.builds)
        json["builds"].push_back({{"image", build.image},
                                  {"context", build.context},
                                  {"file", build.file},
                                  {"options", options_to_json(build.options)}});
    for (const auto& volume : plan.volumes)
        json["volumes"].push_back({{"name", volume.name}, {"labels", volume.labels}});
    for (const auto& network : plan.networks) {
        json["networks"].push_back(
            {{"name", network.name}, {"labels", network.labels}, {"internal", network.internal}});
        if (!network.options.empty())
            json["networks"].back()["options"] = options_to_json(network.options);
    }
    for (const auto& container : plan.containers)
        json["containers"].push_back({{"name", container.name},
                                      {"service", container.service},
                                      {"options", options_to_json(container.options)},
                                      {"image", container.image},
                                      {"command", container.command}});
    json["model"]["keys"] = plan.model.keys;
    json["model"]["settings"] = plan.model.settings;
    json["model"]["urls"] = plan.model.urls;
    for (const auto& [name, service] : plan.model.services) {
        auto& entry = json["model"]["services"][name];
        entry = {{"keys", service.keys},
                 {"depends_on", service.depends_on},
                 {"restart", service.restart},
                 {"builds", service.builds}};
        if (!service.pull.empty())
            entry["pull"] = service.pull;
    }
    return json;
}

Plan plan_from_json(const Json& json) {
    Plan plan;
    plan.project = text_of(json, "project");
    plan.files = texts_of(json, "files");
    for (const auto& build : items_of(json, "builds"))
        plan.builds.push_back({text_of(build, "image"), text_of(build, "context"), text_of(build, "file"),
                               options_from_json(build)});
    for (const auto& volume : items_of(json, "volumes"))
        plan.volumes.push_back({text_of(volume, "name"), texts_of(volume, "labels")});
    for (const auto& network : items_of(json, "networks"))
        plan.networks.push_back({text_of(network, "name"), texts_of(network, "labels"),
                                 flag_of(network, "internal"), options_from_json(network)});
    for (const auto& container : items_of(json, "containers"))
        plan.containers.push_back({text_of(container, "name"), text_of(container, "service"),
                                   options_from_json(container), text_of(container, "image"),
                                   texts_of(container, "command")});
    const Json model = member_of(json, "model");
    plan.model.keys = texts_of(model, "keys");
    for (const auto& [name, value] : members_of(model, "settings"))
        plan.model.settings[name] = text_of(value);
    for (const auto& [name, value] : members_of(model, "urls"))
        plan.model.urls[name] = text_of(value);
    for (const auto& [name, entry] : members_of(model, "services")) {
        ModelService service{texts_of(entry, "keys"),
                             {},
                             text_of(entry, "restart"),
                             flag_of(entry, "builds"),
                             text_of(entry, "pull")};
        for (const auto& [dependency, condition] : members_of(entry, "depends_on"))
            service.depends_on[dependency] = text_of(condition);
        plan.model.services[name] = std::move(service);
    }
    return plan;
}

} // namespace

std::string to_json(const Record& record) {
    Json json{{"format", format},
              {"commit", record.commit},
              {"deployment", record.deployment},
              {"compose_file", record.compose_file},
              {"plan", plan_to_json(record.plan)},
              {"images", record.images}};
    if (!record.without_dns.empty())
        json["without_dns"] = record.without_dns;
    if (!record.notes.empty())
        json["notes"] = record.notes;
    for (const auto& container : record.containers)
        json["containers"].push_back({{"name", container.name},
                                      {"id", container.id},
                                      {"ended", container.ended},
                                      {"just_ended", container.just_ended},
                                      {"deployment", container.deployment}});
    return written(json);
}

Result<Record> record_from_json(std::string_view text) {
    const Json json = parse_json(text);
    Record record;
    record.commit = text_of(json, "commit");
    if (number_of(json, "format") != format || !is_commit_id(record.commit))
        return Error{Code::invalid, "record.json is damaged or of another version of pgod"};
    record.deployment = static_cast<std::uint64_t>(number_of(json, "deployment"));
    record.compose_file = text_of(json, "compose_file");
    record.plan = canonical(plan_from_json(member_of(json, "plan")));
    for (const auto& [image, id] : members_of(json, "images"))
        record.images[image] = text_of(id);
    record.without_dns = texts_of(json, "without_dns");
    record.notes = texts_of(json, "notes");
    record.notes.resize(std::min(record.notes.size(), max_notes));
    for (const auto& container : items_of(json, "containers")) {
        const auto made_by = static_cast<std::uint64_t>(number_of(container, "deployment"));
        record.containers.push_back({text_of(container, "name"), text_of(container, "id"),
                                     flag_of(container, "ended"), made_by == 0 ? record.deployment : made_by,
                                     flag_of(container, "just_ended")});
    }
    return record;
}

std::string without_names(const std::string& network) {
    return "network " + network +
           " has no DNS, so containers do not find each other by name; pgod --doctor names the remedy";
}

std::string image_of(const Record& record, const PlannedContainer& container) {
    const auto found = record.images.find(container.image);
    return found == record.images.end() ? std::string() : found->second;
}

std::string option_of(const PlannedContainer& container, std::string_view flag) {
    const auto found = std::find_if(container.options.begin(), container.options.end(),
                                    [flag](const PlanOption& option) { return option.flag == flag; });
    return found == container.options.end() ? std::string() : found->value;
}

bool restarts(const PlannedContainer& container) {
    const std::string policy = option_of(container, "--restart");
    return policy.starts_with("always") || policy.starts_with("unless-stopped");
}

namespace {

bool is_waited_for(const Plan& plan, const std::string& service) {
    return std::any_of(plan.model.services.begin(), plan.model.services.end(), [&service](const auto& one) {
        const auto condition = one.second.depends_on.find(service);
        return condition != one.second.depends_on.end() &&
               condition->second == "service_completed_successfully";
    });
}

} // namespace

std::vector<ExpectedContainer> expected_containers(const Record& record) {
    std::vector<ExpectedContainer> expected;
    for (const auto& planned : record.plan.containers) {
        const auto recorded = std::find_if(record.containers.begin(), record.containers.end(),
                                           [&](const auto& one) { return one.name == planned.name; });
        const bool known = recorded != record.containers.end();
        const bool has_ended = known && (recorded->ended || recorded->just_ended);
        const bool one_shot = has_ended || is_waited_for(record.plan, planned.service);
        expected.push_back({planned.name,
                            planned.service,
                            known ? recorded->id : std::string(),
                            {},
                            one_shot && !restarts(planned),
                            has_ended});
    }
    return expected;
}

} // namespace pgod::compose

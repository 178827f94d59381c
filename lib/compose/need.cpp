#include "compose/need.hpp"

#include "base/text.hpp"
#include "core/mount.hpp"
#include "core/plan_images.hpp"
#include "core/plan_networks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

std::optional<std::string> path_beneath(std::string_view path, std::string_view directory) {
    if (path == directory)
        return std::string();
    if (path.size() <= directory.size() || !path.starts_with(directory) || path[directory.size()] != '/')
        return std::nullopt;
    return std::string(path.substr(directory.size() + 1));
}

std::set<std::string> bind_sources(const Plan& plan, std::string_view stage) {
    std::set<std::string> sources;
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (const auto bind = bind_of(option))
                if (auto path = path_beneath(bind->source, stage))
                    sources.insert(std::move(*path));
    return sources;
}

std::set<std::string> files_of_plan(const Plan& plan, std::string_view stage) {
    std::set<std::string> files(plan.files.begin(), plan.files.end());
    files.merge(bind_sources(plan, stage)); // a directory is no entry of a commit, and so never "changed"
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (option.flag == "--env-file")
                if (auto path = path_beneath(option.value, stage))
                    files.insert(std::move(*path));
    return files;
}

namespace {

std::optional<std::string> changed_secret(const PlannedContainer& container, const NewVersion& next) {
    const auto changed = next.secrets.find(container.name);
    if (changed == next.secrets.end())
        return std::nullopt;
    return fmt::format("the secret in {} of {} changed", changed->second, container.service);
}

} // namespace

std::optional<std::string> reason_to_deploy(const Record* running, const NewVersion& next,
                                            std::span<const Container> seen) {
    if (running == nullptr)
        return "nothing was deployed yet";
    for (const auto& file : files_of_plan(next.plan, next.stage))
        if (std::binary_search(next.changed.begin(), next.changed.end(), file))
            return fmt::format("{} changed", escaped(file));
    Plan as_before = running->plan;
    as_before.model.settings = next.plan.model.settings; // how it is deployed, not what
    as_before.model.urls = next.plan.model.urls;         // for the proxy
    as_before.files = next.plan.files;                   // those that changed have been named
    as_before.model.keys = next.plan.model.keys;
    for (auto& [name, service] : as_before.model.services) // nor how the file says it
        if (const auto now = next.plan.model.services.find(name); now != next.plan.model.services.end())
            service.keys = now->second.keys, service.pull = now->second.pull;
    if (as_before != next.plan)
        return "what the service asks of podman changed";
    for (const auto& container : next.plan.containers) {
        const auto before = running->images.find(container.image);
        const auto now = next.images.find(container.image);
        if (before == running->images.end() || now == next.images.end() || before->second != now->second)
            return fmt::format("the image of {} changed", container.service);
    }
    for (const auto& container : next.plan.containers)
        if (auto reason = changed_secret(container, next))
            return reason;
    for (const auto& expected : expected_containers(*running)) {
        const Judgement judgement = judge_container(expected, seen);
        if (judgement.verdict != Verdict::good && judgement.verdict != Verdict::waiting)
            return judgement.problem;
    }
    for (const auto& container : owned_by(seen, next.plan.project))
        if (std::none_of(next.plan.containers.begin(), next.plan.containers.end(),
                         [&](const PlannedContainer& planned) { return planned.name == container.name; }))
            return "there are containers of another version";
    return std::nullopt;
}

namespace {

const PlannedContainer* find_planned(const Plan& plan, const std::string& name) {
    const auto found = std::find_if(plan.containers.begin(), plan.containers.end(),
                                    [&name](const PlannedContainer& one) { return one.name == name; });
    return found == plan.containers.end() ? nullptr : &*found;
}

const RecordedContainer* find_recorded(const Record& record, const std::string& name) {
    const auto found = std::find_if(record.containers.begin(), record.containers.end(),
                                    [&name](const RecordedContainer& one) { return one.name == name; });
    return found == record.containers.end() ? nullptr : &*found;
}

// A file that the container has by its content and that changed.
std::optional<std::string> changed_file(const PlannedContainer& container, const NewVersion& next) {
    for (const auto& option : container.options) {
        const auto bind = bind_of(option);
        const std::string& source = bind ? bind->source : option.value;
        if (!bind && option.flag != "--env-file")
            continue;
        const auto path = path_beneath(source, next.stage);
        if (path && std::binary_search(next.changed.begin(), next.changed.end(), *path))
            return path;
    }
    return std::nullopt;
}

// A network can only be made anew when no container uses it.
std::optional<std::string> changed_network(const PlannedContainer& container, const Plan& before,
                                           const Plan& next) {
    for (const auto& network : next.networks)
        for (const auto& old : before.networks)
            if (old.name == network.name &&
                (old.internal != network.internal || old.options != network.options) &&
                uses_network(container, network.name))
                return network.name;
    return std::nullopt;
}

std::optional<std::string> own_reason(const Record& running, const NewVersion& next,
                                      const PlannedContainer& planned, std::span<const Container> seen) {
    const PlannedContainer* before = find_planned(running.plan, planned.name);
    if (before == nullptr || find_recorded(running, planned.name) == nullptr)
        return fmt::format("{} is new", planned.service);
    if (*before != planned)
        return fmt::format("what {} asks of podman changed", planned.service);
    const auto old_image = running.images.find(planned.image);
    const auto image = next.images.find(planned.image);
    if (old_image == running.images.end() || image == next.images.end() || old_image->second != image->second)
        return fmt::format("the image of {} changed", planned.service);
    if (auto secret = changed_secret(planned, next))
        return secret;
    if (const auto file = changed_file(planned, next))
        return fmt::format("{} changed, which {} has", escaped(*file), planned.service);
    if (const auto network = changed_network(planned, running.plan, next.plan))
        return fmt::format("network {} changed, which {} uses", *network, planned.service);
    for (const auto& expected : expected_containers(running)) {
        if (expected.name != planned.name)
            continue;
        const Judgement judgement = judge_container(expected, seen);
        if (judgement.verdict != Verdict::good && judgement.verdict != Verdict::waiting)
            return judgement.problem;
    }
    return std::nullopt;
}

} // namespace

bool uses_network(const PlannedContainer& container, std::string_view network) {
    return std::any_of(container.options.begin(), container.options.end(),
                       [network](const PlanOption& option) {
                           const auto names = network_names(option);
                           return std::find(names.begin(), names.end(), network) != names.end();
                       });
}

bool shares_network_of(const PlannedContainer& container, std::string_view name) {
    return std::any_of(container.options.begin(), container.options.end(),
                       [name](const PlanOption& option) { return container_shared_by(option) == name; });
}

std::vector<Renewal> renewals(const Record& running, const NewVersion& next,
                              std::span<const Container> seen) {
    std::map<std::string, std::string> reasons;
    for (const auto& planned : next.plan.containers)
        if (auto reason = own_reason(running, next, planned, seen))
            reasons[planned.name] = std::move(*reason);
    for (std::size_t known = 0; known != reasons.size();) {
        known = reasons.size();
        for (const auto& planned : next.plan.containers)
            for (const auto& other : next.plan.containers)
                if (reasons.contains(other.name) && shares_network_of(planned, other.name))
                    reasons.emplace(planned.name, fmt::format("{} shares the network of {}", planned.service,
                                                              other.service));
    }
    std::vector<Renewal> found;
    for (const auto& planned : next.plan.containers)
        if (const auto reason = reasons.find(planned.name); reason != reasons.end())
            found.push_back({planned.name, reason->second});
    return found;
}

namespace {

std::optional<Need> need_of_some(const Record& running, const NewVersion& next,
                                 std::span<const Container> seen) {
    Need need;
    for (const auto& container : next.plan.containers)
        need.untouched.insert(container.name);
    for (const auto& renewal : renewals(running, next, seen)) {
        need.untouched.erase(renewal.container);
        need.reason += (need.reason.empty() ? "" : "; ") + renewal.reason;
    }
    if (!need.reason.empty())
        return need;
    for (const auto& container : owned_by(seen, next.plan.project)) {
        if (find_planned(next.plan, container.name) != nullptr)
            continue;
        need.reason = fmt::format("{} is not in it any more", container.service);
        return need;
    }
    return std::nullopt;
}

} // namespace

std::optional<Need> need_of(const Record* running, const NewVersion& next, std::span<const Container> seen) {
    std::optional<Record> before;
    if (running != nullptr) {
        before = *running;
        take_completed_images(before->plan, before->images, next.plan);
        running = &*before;
    }
    if (running != nullptr && next.plan.model.recreates_only_changed())
        return need_of_some(*running, next, seen);
    if (auto reason = reason_to_deploy(running, next, seen))
        return Need{std::move(*reason), {}};
    return std::nullopt;
}

std::set<std::string> names_of_good(const Record& running, std::span<const Container> seen) {
    std::set<std::string> names;
    for (const auto& expected : expected_containers(running))
        if (judge_container(expected, seen).verdict == Verdict::good)
            names.insert(expected.name);
    return names;
}

} // namespace pgod::compose

#include "core/plan_canonical.hpp"

#include "base/text.hpp"
#include "core/mount.hpp"
#include "core/plan_flags.hpp"
#include "core/plan_networks.hpp"
#include "core/plan_value.hpp"
#include "core/published_port.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace pgod {

namespace {

std::size_t place_of(std::string_view flag, std::span<const Flag> table) {
    const auto row =
        std::find_if(table.begin(), table.end(), [flag](const Flag& one) { return one.name == flag; });
    return static_cast<std::size_t>(row - table.begin());
}

void sort_by_flag(std::vector<PlanOption>& options, std::span<const Flag> table) {
    std::stable_sort(options.begin(), options.end(), [table](const PlanOption& one, const PlanOption& other) {
        return place_of(one.flag, table) < place_of(other.flag, table);
    });
}

std::string_view key_of(std::string_view label) {
    return label.substr(0, label.find('='));
}

void sort_labels(std::vector<std::string>& labels) {
    std::stable_sort(labels.begin(), labels.end(), [](const std::string& one, const std::string& other) {
        return key_of(one) < key_of(other);
    });
}

// A mode stands alone; the policy has refused it beside names.
bool names_networks(const PlanOption& option) {
    return !network_names(option).empty() && option.value.find(':') == std::string::npos;
}

// podman takes several names in its first --network alone.
template<typename Iterator>
void sort_networks(Iterator first, Iterator last) {
    std::stable_sort(first, last, [](const PlanOption& one, const PlanOption& other) {
        const bool options = one.value.find(':') != std::string::npos;
        const bool others = other.value.find(':') != std::string::npos;
        return options == others ? options && one.value < other.value : others;
    });
}

void merge_networks(std::vector<PlanOption>& options) {
    std::set<std::string> names;
    for (const auto& option : options)
        if (names_networks(option))
            for (const auto name : split(option.value, ','))
                names.emplace(name);
    const auto first = std::find_if(options.begin(), options.end(), names_networks);
    if (first == options.end())
        return;
    first->value.clear();
    for (const auto& name : names)
        first->value.append(first->value.empty() ? "" : ",").append(name);
    options.erase(std::remove_if(first + 1, options.end(), names_networks), options.end());
}

void sort_aliases(std::vector<PlanOption>& options) {
    std::set<std::string> aliases;
    std::erase_if(options, [&aliases](const PlanOption& option) {
        const bool is_alias = option.flag == "--network-alias";
        if (is_alias)
            aliases.insert(option.value);
        return is_alias;
    });
    for (const auto& alias : aliases)
        options.push_back({"--network-alias", alias});
}

void drop_defaults(PlanOption& option) {
    auto mount = mount_of(option);
    if (mount && std::erase(mount->options, "rw") > 0)
        option = volume_option(*mount);
}

// "8000:80" and "8001:81" in a row as "8000-8001:80-81", which translator/handover.py writes.
void merge_ports(std::vector<PlanOption>& options) {
    std::vector<PlanOption> merged;
    std::optional<PublishedPort> before; // what the last of `merged` publishes
    for (auto& option : options) {
        auto port =
            option.flag == "--publish" ? parse_published_port(option.value) : Error{Code::invalid, ""};
        if (before && port && follows(*before, *port)) {
            before->host_last = port->host_last;
            before->container_last = port->container_last;
            merged.back().value = publish_value(*before);
            continue;
        }
        before = port ? std::optional(*port) : std::nullopt;
        merged.push_back(std::move(option));
    }
    options = std::move(merged);
}

void make_canonical(PlannedContainer& container) {
    auto& options = container.options;
    std::for_each(options.begin(), options.end(), drop_defaults);
    for (auto& option : options)
        option.value = canonical_value(option);
    merge_networks(options);
    sort_aliases(options);
    sort_by_flag(options, run_flags());
    merge_ports(options);
    const auto is_network = [](const PlanOption& option) {
        return option.flag == "--network";
    };
    const auto networks = std::find_if(options.begin(), options.end(), is_network);
    sort_networks(networks, std::find_if_not(networks, options.end(), is_network));
    const auto is_label = [](const PlanOption& option) {
        return option.flag == "--label";
    };
    const auto first = std::find_if(options.begin(), options.end(), is_label);
    const auto last = std::find_if_not(first, options.end(), is_label);
    std::stable_sort(first, last, [](const PlanOption& one, const PlanOption& other) {
        return key_of(one.value) < key_of(other.value);
    });
}

void make_canonical(std::vector<std::string>& keys) {
    std::erase_if(keys, [](const std::string& key) { return key.starts_with('_'); });
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

void make_canonical(Model& model) {
    make_canonical(model.keys);
    for (auto& [name, service] : model.services) {
        make_canonical(service.keys);
        for (auto& [dependency, condition] : service.depends_on)
            if (condition == "service_started")
                condition.clear();
    }
}

} // namespace

Plan canonical(Plan plan) {
    for (auto& container : plan.containers)
        make_canonical(container);
    for (auto& build : plan.builds)
        sort_by_flag(build.options, build_flags());
    for (auto& volume : plan.volumes)
        sort_labels(volume.labels);
    for (auto& network : plan.networks)
        sort_labels(network.labels);
    make_canonical(plan.model);
    return plan;
}

} // namespace pgod

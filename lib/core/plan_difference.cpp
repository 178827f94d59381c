#include "core/plan_difference.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod {

namespace {

template<class Named>
const Named* find_named(const std::vector<Named>& all, const std::string& name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&name](const Named& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

// Both sorted; what stands in one and not in the other, as often as it does.
void tell_apart(std::vector<std::string> before, std::vector<std::string> after,
                std::vector<std::string>& how) {
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    std::vector<std::string> gone, come;
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(gone));
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(come));
    for (const auto& text : gone)
        how.push_back("- " + text);
    for (const auto& text : come)
        how.push_back("+ " + text);
}

std::vector<std::string> options_of(const PlannedContainer& container) {
    std::vector<std::string> options;
    for (const auto& option : container.options)
        options.push_back(podman_argument(option));
    return options;
}

std::vector<std::string> how_changed(const PlannedContainer& before, const PlannedContainer& after) {
    std::vector<std::string> how;
    if (before.image != after.image)
        how = {"- image " + before.image, "+ image " + after.image};
    if (before.command != after.command)
        how.insert(how.end(), {fmt::format("- command {}", fmt::join(before.command, " ")),
                               fmt::format("+ command {}", fmt::join(after.command, " "))});
    tell_apart(options_of(before), options_of(after), how);
    if (how.empty() && before != after)
        how.emplace_back("its options are given in another order");
    return how;
}

template<class Named>
std::vector<NameDifference> names(const std::vector<Named>& running, const std::vector<Named>& next) {
    std::vector<NameDifference> found;
    for (const auto& one : next) {
        const Named* before = find_named(running, one.name);
        const Change change = before == nullptr ? Change::added
                              : *before == one  ? Change::unchanged
                                                : Change::changed;
        found.push_back({change, one.name});
    }
    for (const auto& one : running)
        if (find_named(next, one.name) == nullptr)
            found.push_back({Change::removed, one.name});
    return found;
}

} // namespace

std::string_view name_of(Change change) noexcept {
    switch (change) {
    case Change::added:
        return "added";
    case Change::changed:
        return "changed";
    case Change::removed:
        return "removed";
    case Change::unchanged:
        return "unchanged";
    }
    return {};
}

PlanDifference difference_of(const Plan& running, const Plan& next) {
    PlanDifference difference;
    for (const auto& container : next.containers) {
        const auto* before = find_named(running.containers, container.name);
        if (before == nullptr)
            difference.containers.push_back({Change::added, container.name, container.service, {}});
        else if (*before == container)
            difference.containers.push_back({Change::unchanged, container.name, container.service, {}});
        else
            difference.containers.push_back(
                {Change::changed, container.name, container.service, how_changed(*before, container)});
    }
    for (const auto& container : running.containers)
        if (find_named(next.containers, container.name) == nullptr)
            difference.containers.push_back({Change::removed, container.name, container.service, {}});
    difference.networks = names(running.networks, next.networks);
    difference.volumes = names(running.volumes, next.volumes);
    return difference;
}

} // namespace pgod

// What a plan would change against the one that runs, part by part and pure: what `plan` prints. Whether a
// container would be made anew for it is another question (compose/need.hpp): by default all of them are.
#pragma once

#include "core/plan.hpp"

#include <string>
#include <vector>

namespace pgod {

enum class Change { added, changed, removed, unchanged };
std::string_view name_of(Change change) noexcept;

struct ContainerDifference {
    Change change = Change::unchanged;
    std::string name;
    std::string service;          // compose service
    std::vector<std::string> how; // of a changed one: "- --publish=8080:80", "+ --publish=8081:80"
    bool operator==(const ContainerDifference&) const = default;
};
struct NameDifference { // of a network or volume
    Change change = Change::unchanged;
    std::string name;
    bool operator==(const NameDifference&) const = default;
};

struct PlanDifference {
    std::vector<ContainerDifference> containers; // in the new plan's order, removed ones last
    std::vector<NameDifference> networks;
    std::vector<NameDifference> volumes; // a removed one keeps its data: pgod removes no volume
};

PlanDifference difference_of(const Plan& running, const Plan& next);

} // namespace pgod

#include "core/drift.hpp"

#include <fmt/format.h>

namespace pgod::reconcile {

namespace {

// The same sentence is said once, not at every poll.
DriftAnswer remember(Drift& drift, std::string problem, std::string all_is_well) {
    if (drift.problem == problem)
        return {};
    drift.problem = std::move(problem);
    if (drift.problem.empty())
        return {false, false, std::move(all_is_well)};
    return {false, true, drift.problem};
}

} // namespace

DriftAnswer answer_survey(Drift& drift, const Surveyed& seen, bool wanted, Time now) {
    if (!wanted) { // a container that was stopped is no fault then
        drift.problem.clear();
        return {};
    }
    if (!seen.lost) {
        if (seen.problem.empty() || seen.health == Health::healthy) // of healthy ones: a network without DNS
            drift.given_up = false;
        return remember(drift, seen.problem, "all containers are as they should be again");
    }
    // One that lies ahead was noted before the clock was set back.
    std::erase_if(drift.healings, [now](Time begun) { return begun > now || now - begun >= healing_window; });
    drift.given_up |= drift.healings.size() >= most_healings;
    if (drift.given_up)
        return remember(drift,
                        fmt::format("{}; it was healed {} times within {} min and is left alone until a new "
                                    "commit or up",
                                    seen.problem, most_healings, healing_window.count()),
                        {});
    drift.healings.push_back(now);
    drift.problem = seen.problem;
    return {true, true,
            fmt::format("{}; healing it, {} of {} times within {} min", seen.problem, drift.healings.size(),
                        most_healings, healing_window.count())};
}

DriftAnswer answer_healing(Drift& drift, const std::string& problem) {
    if (problem.empty())
        return remember(drift, {}, "healed: all containers are as they should be again");
    return remember(drift, "could not be healed: " + problem, {});
}

} // namespace pgod::reconcile

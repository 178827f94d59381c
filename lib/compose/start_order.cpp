#include "compose/start_order.hpp"

#include <algorithm>
#include <set>

namespace pgod::compose {

std::vector<std::vector<std::size_t>> start_levels(const Plan& plan) {
    std::vector<std::size_t> waiting;
    std::set<std::string> missing; // compose services of which a container is not in a level yet
    for (std::size_t i = 0; i < plan.containers.size(); ++i) {
        waiting.push_back(i);
        missing.insert(plan.containers[i].service);
    }
    const auto is_free = [&](std::size_t i) {
        const std::string& name = plan.containers[i].service;
        const auto service = plan.model.services.find(name);
        if (service == plan.model.services.end())
            return true;
        return std::none_of(
            service->second.depends_on.begin(), service->second.depends_on.end(),
            [&](const auto& one) { return one.first != name && missing.contains(one.first); });
    };
    std::vector<std::vector<std::size_t>> levels;
    while (!waiting.empty()) {
        std::vector<std::size_t> level;
        std::copy_if(waiting.begin(), waiting.end(), std::back_inserter(level), is_free);
        if (level.empty())
            level.push_back(waiting.front()); // a circle
        for (const std::size_t i : level)
            waiting.erase(std::find(waiting.begin(), waiting.end(), i));
        for (const std::size_t i : level)
            if (std::none_of(waiting.begin(), waiting.end(), [&](std::size_t other) {
                    return plan.containers[other].service == plan.containers[i].service;
                }))
                missing.erase(plan.containers[i].service);
        levels.push_back(std::move(level));
    }
    return levels;
}

} // namespace pgod::compose

#include "compose/conditions.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto look_interval = 500ms;
constexpr auto longest_check = 30s;

std::string_view what_it_waits_for(const Condition& condition) {
    return condition.healthy ? "be healthy" : "end with 0";
}

Error never(const Condition& condition, std::string_view problem) {
    return Error{Code::permanent, fmt::format("{} waits for {} to {}, but it {}", condition.waiting,
                                              condition.dependency, what_it_waits_for(condition), problem)};
}

Result<bool> passes(const Work& work, const Condition& condition, std::span<const Container> seen) {
    if (TRY(holds(condition, seen)))
        return true;
    if (!condition.healthy)
        return false;
    Podman::Call call;
    call.arguments = {"healthcheck", "run", find_container(seen, condition.container)->id};
    call.deadline = longest_check;
    const auto answer = work.podman.call(call);
    return answer && answer->exit_code == 0;
}

} // namespace

std::vector<Condition> conditions_of(const Plan& plan, std::span<const std::size_t> numbers) {
    std::vector<Condition> conditions;
    for (const std::size_t number : numbers) {
        const auto service = plan.model.services.find(plan.containers[number].service);
        if (service == plan.model.services.end())
            continue;
        for (const auto& [dependency, condition] : service->second.depends_on) {
            const bool healthy = condition == "service_healthy";
            if (!healthy && condition != "service_completed_successfully")
                continue;
            for (const auto& container : plan.containers) {
                const Condition one{service->first, dependency, healthy, container.name};
                if (container.service == dependency &&
                    std::find(conditions.begin(), conditions.end(), one) == conditions.end())
                    conditions.push_back(one);
            }
        }
    }
    return conditions;
}

Result<bool> holds(const Condition& condition, std::span<const Container> seen) {
    const Container* container = find_container(seen, condition.container);
    if (container == nullptr)
        return never(condition, "has no container");
    const bool ended = container->state == "exited" || container->state == "stopped";
    if (!condition.healthy) {
        if (ended && container->exit_code != 0)
            return never(condition, fmt::format("exited with status {}", container->exit_code));
        return ended;
    }
    if (ended)
        return never(condition, fmt::format("exited with status {}", container->exit_code));
    if (container->health == ContainerHealth::none)
        return never(condition, "has no healthcheck");
    return container->health == ContainerHealth::healthy;
}

Status wait_for_dependencies(const Work& work, const Record& record, std::span<const std::size_t> numbers) {
    auto conditions = conditions_of(record.plan, numbers);
    const auto deadline = Clock::now() + work.job.start_timeout;
    while (!conditions.empty()) {
        const auto seen = TRY(work.podman.containers());
        while (!conditions.empty() && TRY(passes(work, conditions.back(), seen)))
            conditions.pop_back();
        if (conditions.empty())
            return ok();
        if (Clock::now() >= deadline)
            return Error{
                Code::timeout,
                fmt::format("{} waits for {} to {}, which it was not within {}", conditions.back().waiting,
                            conditions.back().dependency, what_it_waits_for(conditions.back()),
                            std::chrono::duration_cast<std::chrono::seconds>(work.job.start_timeout))};
        std::this_thread::sleep_for(look_interval); // podman does not say when something comes true
    }
    return ok();
}

} // namespace pgod::compose

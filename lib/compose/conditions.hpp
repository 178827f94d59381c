// Conditions of depends_on, which podman-compose 1.0.3 drops: a container is not started before those it
// waits for are healthy, or have ended with 0. podman's healthchecks are run here, because rootless podman
// without systemd never runs them by itself.
#pragma once

#include "compose/job.hpp"
#include "compose/record.hpp"

#include <cstddef>
#include <span>

namespace pgod::compose {

// What the containers with these numbers in the plan wait for, all at the same time, for at most the
// service's start_timeout. Code::timeout when that passed, Code::permanent when it cannot come true any more.
Status wait_for_dependencies(const Work& work, const Record& record, std::span<const std::size_t> numbers);

// One container that is waited for. holds() judges what was seen: false means not yet, or that its
// healthcheck has to be run. Pure.
struct Condition {
    std::string waiting;    // compose service
    std::string dependency; // compose service
    bool healthy = false;   // or: ended with 0
    std::string container;  // name, of the dependency
    bool operator==(const Condition&) const = default;
};
std::vector<Condition> conditions_of(const Plan& plan, std::span<const std::size_t> numbers);
Result<bool> holds(const Condition& condition, std::span<const Container> seen);

} // namespace pgod::compose

// Reads one recorded call each into the plan. `arguments` are those after the words of the verb.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

#include <span>
#include <string>

namespace pgod {

// A plan as it is being read.
struct Reading {
    Plan plan;
    Findings findings;
    std::string directory; // where relative paths begin; said by podman-compose's label on each container
};

void read_run(std::span<const std::string> arguments, Reading& reading);

// After all containers were read: they say where relative paths begin and to which service an image belongs.
void read_build(std::span<const std::string> arguments, Reading& reading);

void read_volume_create(std::span<const std::string> arguments, Reading& reading);
void read_network_create(std::span<const std::string> arguments, Reading& reading);

// "K" without a value would be taken from the worker's environment. Never names the value.
std::string problem_of_variable(const std::string& variable); // empty: none

} // namespace pgod

// Observing: what the containers show, against what was recorded. Changes nothing and takes no lock.
#pragma once

#include "compose/job.hpp"

#include <span>

namespace pgod::compose {

// running_commit, health and the container list of a result; exit 0, or 70 when podman does not answer.
JobResult observe(const Work& work);
JobResult observe(const Work& work, std::span<const Container> seen); // all of the user's

// "web running", "db exited 1", sorted; at most 64.
std::vector<std::string> container_lines(std::span<const Container> containers);

// `ps`: a table with aligned columns, or JSON. Pure; `now` in seconds since 1970.
std::string container_table(std::span<const Container> containers, std::int64_t now);
std::string container_json(std::span<const Container> containers);

} // namespace pgod::compose

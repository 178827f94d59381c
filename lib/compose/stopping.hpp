// Stopping: how long podman may take to stop containers. Each container gets the period that it was made with
// (stop_grace_period, else podman's own), so podman is asked: what is stopped may come from an earlier
// commit.
#pragma once

#include "compose/podman.hpp"
#include "core/plan.hpp"
#include "core/stop_grace.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct StopTimes {
    std::chrono::seconds together{0};          // podman stops several at a time: `rm`, `stop`
    std::chrono::seconds one_after_another{0}; // `restart`
    std::chrono::seconds longest{0};           // of one container
    bool too_long = false;  // somebody gave a container more than longest_stop_grace; `cut_short()` cuts it
    std::size_t rounds = 1; // of as many containers as podman stops at a time
};

// Assumes the longest period for each when podman does not answer.
StopTimes stop_times(const Podman& podman, std::span<const Container> containers);

// Appends the longest period to a call that stops containers, if one of them has a longer one.
void cut_short(Argv& arguments, const StopTimes& times);

// …but at least this long: podman has the period of when a container was made.
void give_at_least(Argv& arguments, StopTimes& times, std::chrono::seconds period);

// The longest period that the plan gives a container.
std::chrono::seconds longest_period(const Plan& plan);

// Pure: of podman's answer, a period a line, on a host with so many processors.
StopTimes stop_times_of(std::string_view periods, std::size_t processors);

// For podman to stop and remove containers, in as many rounds as they need.
std::chrono::seconds removal_deadline(const StopTimes& times);
inline constexpr std::chrono::seconds work_of_podman = std::chrono::minutes{2}; // beside the waiting
inline constexpr std::chrono::seconds longest_removal = work_of_podman + longest_stop_grace; // in one round

} // namespace pgod::compose

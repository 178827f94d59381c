#include "compose/stopping.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace pgod::compose {

namespace {

std::size_t rounds_of(std::size_t containers, std::size_t processors) {
    const std::size_t at_once = 3 * std::max<std::size_t>(processors, 1) + 1; // podman's own number
    return (containers + at_once - 1) / at_once;
}

} // namespace

StopTimes stop_times_of(std::string_view periods, std::size_t processors) {
    StopTimes times;
    std::size_t containers = 0;
    std::chrono::seconds longest{0};
    for (const auto line : split(periods, '\n')) {
        if (trimmed(line).empty())
            continue;
        const auto number = parse_decimal(trimmed(line));
        const std::uint64_t most = longest_stop_grace.count();
        times.too_long |= !number || *number > most;
        const std::chrono::seconds period(std::min<std::uint64_t>(number.value_or(most), most));
        longest = std::max(longest, period);
        times.one_after_another += period;
        ++containers;
    }
    // A round that has none of the longest is shorter: an upper bound is enough.
    times.longest = longest;
    times.rounds = rounds_of(containers, processors);
    times.together = longest * times.rounds;
    return times;
}

StopTimes stop_times(const Podman& podman, std::span<const Container> containers) {
    if (containers.empty())
        return {};
    Podman::Call call;
    call.arguments = {"container", "inspect", "--format", "{{.Config.StopTimeout}}"};
    for (const auto& container : containers)
        call.arguments.push_back(container.id);
    call.ends_with_us = true;
    const std::size_t processors = std::thread::hardware_concurrency();
    // Its exit status says whether one has gone meanwhile, which changes nothing here.
    const auto answer = podman.call(call);
    if (!answer || answer->output.empty()) {
        StopTimes times;
        times.rounds = rounds_of(containers.size(), processors);
        times.longest = longest_stop_grace;
        times.together = longest_stop_grace * times.rounds;
        times.one_after_another = longest_stop_grace * containers.size();
        return times;
    }
    return stop_times_of(answer->output, processors);
}

void cut_short(Argv& arguments, const StopTimes& times) {
    if (times.too_long)
        arguments.insert(arguments.end(), {"--time", std::to_string(longest_stop_grace.count())});
}

void give_at_least(Argv& arguments, StopTimes& times, std::chrono::seconds period) {
    if (period <= times.longest || times.too_long)
        return;
    arguments.insert(arguments.end(), {"--time", std::to_string(period.count())});
    times.together = period * std::max<std::size_t>(times.rounds, 1);
    times.longest = period;
}

std::chrono::seconds longest_period(const Plan& plan) {
    std::uint64_t longest = 0;
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (option.flag == "--stop-timeout")
                longest = std::max(longest, parse_decimal(option.value).value_or(0));
    return std::chrono::seconds(std::min<std::uint64_t>(longest, longest_stop_grace.count()));
}

std::chrono::seconds removal_deadline(const StopTimes& times) {
    return work_of_podman + times.together;
}

} // namespace pgod::compose

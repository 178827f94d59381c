#include "core/plan.hpp"

#include "base/text.hpp"
#include "core/findings.hpp"
#include "core/plan_calls.hpp"
#include "core/plan_canonical.hpp"

#include <utility>

namespace pgod {

namespace {

constexpr std::size_t shown_value_bytes = 80;

std::size_t bytes_of(const Argv& call) {
    std::size_t bytes = 0;
    for (const auto& argument : call)
        bytes += argument.size() + 1;
    return bytes;
}

bool is_verb(const Argv& call, std::string_view verb) {
    return !call.empty() && call.front() == verb;
}

void read_call(const Argv& call, Reading& reading) {
    const auto is = [&call](std::string_view first, std::string_view second) {
        return call.size() > 2 && call[0] == first && call[1] == second;
    };
    if (is("volume", "create"))
        read_volume_create(std::span(call).subspan(2), reading);
    else if (is("network", "create"))
        read_network_create(std::span(call).subspan(2), reading);
    else if (is_verb(call, "build"))
        read_build(std::span(call).subspan(1), reading);
    else if (is_verb(call, "pod"))
        reading.findings.refuse({}, "pod", "is not allowed");
    else if (!is_verb(call, "run"))
        reading.findings.add({}, "podman-compose",
                             "asked for " + quoted_value(call.empty() ? "" : call.front()) +
                                 ", which no deployment needs");
}

bool within_bounds(std::span<const Argv> calls, Findings& findings) {
    std::size_t containers = 0;
    for (const auto& call : calls) {
        containers += is_verb(call, "run") ? 1 : 0;
        if (bytes_of(call) > max_call_bytes) {
            findings.add({}, "services",
                         "a container's settings are longer than " + std::to_string(max_call_bytes / 1024) +
                             " KiB");
            return false;
        }
    }
    if (containers > max_containers)
        findings.add({}, "services", "more than " + std::to_string(max_containers) + " containers");
    else if (calls.size() > max_plan_calls)
        findings.add({}, "services", "more than " + std::to_string(max_plan_calls) + " calls of podman");
    else
        return true;
    return false;
}

} // namespace

std::string quoted_value(std::string_view value) {
    return '"' + shortened(value, shown_value_bytes) + '"';
}

std::string podman_argument(const PlanOption& option) {
    return option.value.empty() ? option.flag : option.flag + '=' + option.value;
}

bool Model::recreates_only_changed() const {
    const auto strategy = settings.find("strategy");
    return strategy != settings.end() && strategy->second == "changed";
}

PlanOrViolations parse_plan(std::span<const Argv> calls, const std::string& project, Model model) {
    Reading reading;
    reading.plan.project = project;
    reading.plan.model = std::move(model);
    if (within_bounds(calls, reading.findings)) {
        for (const auto& call : calls)
            if (is_verb(call, "run"))
                read_run(std::span(call).subspan(1), reading);
        for (const auto& call : calls)
            read_call(call, reading);
    }
    return {canonical(std::move(reading.plan)), std::move(reading.findings).take()};
}

} // namespace pgod

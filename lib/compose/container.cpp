#include "compose/container.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr std::size_t max_parsed = 10'000;

ContainerHealth health_in(std::string_view status, std::string_view state) {
    const auto says = [status](std::string_view word) {
        return status.find(word) != std::string_view::npos;
    };
    if (says("(unhealthy)"))
        return ContainerHealth::unhealthy;
    if (says("(healthy)"))
        return ContainerHealth::healthy;
    // Later versions of podman 5 call the health of a container "stopped" until its first check after a
    // start.
    if (says("(starting)") || (says("(stopped)") && state == "running"))
        return ContainerHealth::starting;
    return ContainerHealth::none;
}

constexpr std::int64_t max_port = 65535;

std::int64_t port_in(const Json& port, const char* key) {
    return std::clamp<std::int64_t>(number_of(port, key), 0, max_port);
}

// Seconds since 1970, of the years 1 (Go's own zero) to 9999: every part of the program may reckon with them.
std::int64_t moment_in(const Json& json, const char* key) {
    return std::clamp<std::int64_t>(number_of(json, key), -62'135'596'800, 253'402'300'799);
}

struct HostPorts {
    std::int64_t first;
    std::int64_t count;
};

HostPorts host_ports_of(const Json& port) {
    const auto first = port_in(port, "host_port");
    return {first, std::clamp<std::int64_t>(number_of(port, "range"), 1, max_port + 1 - first)};
}

std::string port_of(const Json& port) {
    const auto [host, range] = host_ports_of(port);
    const auto inside = port_in(port, "container_port");
    const auto span = [range = range](std::int64_t first) {
        return range == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + range - 1);
    };
    const std::string address = text_of(port, "host_ip");
    return fmt::format("{}:{}->{}/{}", address.empty() ? "0.0.0.0" : address, span(host), span(inside),
                       text_of(port, "protocol"));
}

Container container_of(const Json& json) {
    Container container;
    container.id = text_of(json, "Id");
    const auto names = texts_of(json, "Names");
    container.name = names.empty() ? std::string() : names.front();
    container.image = text_of(json, "Image");
    container.image_id = text_of(json, "ImageID");
    container.state = text_of(json, "State");
    container.health = health_in(text_of(json, "Status"), container.state);
    container.exit_code = static_cast<int>(number_of(json, "ExitCode"));
    container.pid = number_of(json, "Pid");
    container.created = moment_in(json, "Created");
    container.started = moment_in(json, "StartedAt");
    container.exited = moment_in(json, "ExitedAt");
    container.networks = texts_of(json, "Networks");
    const auto labels = members_of(json, "Labels");
    const auto label = [&labels](const char* name) {
        const auto found = labels.find(name);
        return found == labels.end() ? std::string() : text_of(found->second);
    };
    container.owner = label("pgod.service");
    container.deployment = label("pgod.deployment");
    container.commit = label("pgod.commit");
    container.service = label("pgod.compose-service");
    for (const auto& port : items_of(json, "Ports")) {
        container.ports.push_back(port_of(port));
        const auto [first, count] = host_ports_of(port);
        for (std::int64_t number = first; number < first + count; ++number)
            container.host_ports.push_back(static_cast<std::uint16_t>(number));
    }
    return container;
}

Judgement bad(const ExpectedContainer& expected, std::string_view problem) {
    return {Verdict::bad, fmt::format("{} {}", expected.service, problem)};
}

} // namespace

std::vector<Container> parse_containers(std::string_view json) {
    std::vector<Container> containers;
    const Json list = parse_json(json);
    if (!list.is_array())
        return containers;
    for (const auto& item : list)
        if (containers.size() < max_parsed)
            containers.push_back(container_of(item));
    return containers;
}

std::vector<Container> owned_by(std::span<const Container> containers, std::string_view service) {
    std::vector<Container> owned;
    std::copy_if(containers.begin(), containers.end(), std::back_inserter(owned),
                 [service](const Container& container) { return container.owner == service; });
    return owned;
}

const Container* find_container(std::span<const Container> containers, std::string_view name) noexcept {
    const auto found = std::find_if(containers.begin(), containers.end(),
                                    [name](const Container& container) { return container.name == name; });
    return found == containers.end() ? nullptr : &*found;
}

Judgement judge_container(const ExpectedContainer& expected, std::span<const Container> seen) {
    const Container* container = find_container(seen, expected.name);
    if (container == nullptr && expected.may_end && expected.ended)
        return {};
    if (container == nullptr)
        return {Verdict::missing, fmt::format("{} has no container", expected.service)};
    if ((!expected.id.empty() && container->id != expected.id) ||
        (!expected.deployment.empty() && container->deployment != expected.deployment))
        return bad(expected, "was replaced by another container");
    if (container->state == "running") {
        if (container->health == ContainerHealth::unhealthy)
            return bad(expected, "is unhealthy");
        if (container->health == ContainerHealth::starting)
            return {Verdict::waiting, fmt::format("{} has not passed its healthcheck yet", expected.service)};
        return {};
    }
    if (container->state == "exited" || container->state == "stopped") {
        if (container->exit_code == 0 && expected.may_end)
            return {};
        return bad(expected, fmt::format("exited with status {}", container->exit_code));
    }
    return bad(expected, fmt::format("is {}", escaped(container->state)));
}

Health health_of(std::span<const ExpectedContainer> expected, std::span<const Container> seen) {
    std::size_t missing = 0;
    bool waiting = false;
    bool broken = false;
    for (const auto& one : expected) {
        const Verdict verdict = judge_container(one, seen).verdict;
        missing += verdict == Verdict::missing ? 1 : 0;
        waiting |= verdict == Verdict::waiting;
        broken |= verdict == Verdict::bad;
    }
    if (missing == expected.size())
        return Health::missing;
    if (broken || missing > 0)
        return Health::degraded;
    return waiting ? Health::progressing : Health::healthy;
}

} // namespace pgod::compose

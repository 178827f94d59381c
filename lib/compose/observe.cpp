#include "compose/observe.hpp"

#include "base/text.hpp"
#include "compose/ending.hpp"
#include "compose/json.hpp"
#include "compose/release.hpp"
#include "core/exit_status.hpp"
#include "core/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace pgod::compose {

namespace {

constexpr std::size_t max_lines = 64;
constexpr std::size_t columns = 7;
using Row = std::array<std::string, columns>;

std::string_view name_of(ContainerHealth health) {
    switch (health) {
    case ContainerHealth::none:
        return "";
    case ContainerHealth::starting:
        return "starting";
    case ContainerHealth::healthy:
        return "healthy";
    case ContainerHealth::unhealthy:
        return "unhealthy";
    }
    return "";
}

std::string state_of(const Container& container) {
    const bool ended = container.state == "exited" || container.state == "stopped";
    return ended ? fmt::format("{} {}", container.state, container.exit_code) : container.state;
}

std::string age(std::int64_t seconds) {
    if (seconds < 120)
        return fmt::format("{}s", std::max<std::int64_t>(seconds, 0));
    if (seconds < 2L * 3600)
        return fmt::format("{}m", seconds / 60);
    if (seconds < 48L * 3600)
        return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string text;
    for (const auto& part : texts)
        text += (text.empty() ? "" : ", ") + part;
    return text;
}

} // namespace

std::vector<std::string> container_lines(std::span<const Container> containers) {
    std::vector<std::string> lines;
    for (const auto& container : containers) {
        const std::string health = container.health == ContainerHealth::none
                                       ? std::string()
                                       : fmt::format(" ({})", name_of(container.health));
        lines.push_back(escaped(fmt::format("{} {}{}", container.service, state_of(container), health)));
    }
    std::sort(lines.begin(), lines.end());
    if (lines.size() > max_lines)
        lines.resize(max_lines);
    return lines;
}

namespace {

JobResult recorded(const std::optional<Record>& record) {
    JobResult result;
    if (record) {
        result.running_commit = record->commit;
        result.deployment = record->deployment;
        result.urls = claims_of(record->plan.model);
        result.notes = record->notes;
    }
    return result;
}

} // namespace

JobResult observe(const Work& work) {
    const auto seen = work.podman.containers();
    if (seen)
        return observe(work, *seen);
    JobResult result = recorded(read_record(work.directory, running_release));
    result.exit_status = exit_status::internal;
    result.error = seen.error();
    return result;
}

JobResult observe(const Work& work, std::span<const Container> seen) {
    auto record = read_record(work.directory, running_release);
    JobResult result = recorded(record);
    const auto owned = owned_by(seen, work.job.service);
    result.containers = container_lines(owned);
    if (record)
        (void)note_endings(work.podman, *record, owned);
    if (record)
        result.health = health_of(expected_containers(*record), owned);
    else
        result.health = owned.empty() ? Health::missing : Health::degraded;
    result.exit_status = exit_status::done;
    return result;
}

std::string container_table(std::span<const Container> containers, std::int64_t now) {
    std::vector<Row> rows{{"NAME", "SERVICE", "STATE", "HEALTH", "PORTS", "IMAGE", "CREATED"}};
    for (const auto& container : containers)
        rows.push_back(
            {escaped(container.name), escaped(container.service), escaped(state_of(container)),
             container.health == ContainerHealth::none ? "-" : std::string(name_of(container.health)),
             container.ports.empty() ? "-" : joined(container.ports), escaped(container.image),
             age(now - container.created)});
    std::array<std::size_t, columns> widths{};
    for (const auto& row : rows)
        for (std::size_t i = 0; i < columns; ++i)
            widths[i] = std::max(widths[i], row[i].size());
    std::string table;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i + 1 < columns; ++i)
            table += fmt::format("{:<{}}  ", row[i], widths[i]);
        table += row[columns - 1] + "\n";
    }
    return table;
}

std::string container_json(std::span<const Container> containers) {
    Json list = Json::array();
    for (const auto& container : containers)
        list.push_back(
            {{"name", container.name},
             {"service", container.service},
             {"id", container.id},
             {"state", container.state},
             {"exit_code", container.exit_code},
             {"health", name_of(container.health)},
             {"ports", container.ports},
             {"image", container.image},
             {"image_id", container.image_id},
             {"commit", container.commit},
             {"deployment", container.deployment},
             {"created", reconcile::utc_text(reconcile::Time(std::chrono::seconds(container.created)))}});
    return written(list) + "\n";
}

} // namespace pgod::compose

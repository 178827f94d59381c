#include "compose/ending.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "os/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto query_deadline = 30s;
constexpr std::int64_t clean_up_time = 10; // seconds in which `podman stop` and `rm -f` are done with one
constexpr std::int64_t last_second = 253'402'300'799; // of the year 9999; differences cannot overflow
constexpr std::int64_t longest_unseen = 3600; // seconds: no events are read that are older, once it is gone

// "2026-11-21T04:25:17.038605036Z" as podman prints it, always UTC there or with an offset that is the same
// in all of them: only differences count.
std::int64_t seconds_of(const std::string& time) {
    int year = 0, hour = 0, minute = 0, second = 0;
    unsigned month = 0, day = 0;
    if (std::sscanf(time.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) !=
        6)
        return 0;
    const std::chrono::sys_days date{std::chrono::year{year} / std::chrono::month{month} /
                                     std::chrono::day{day}};
    return std::chrono::duration_cast<std::chrono::seconds>(date.time_since_epoch()).count() + hour * 3600L +
           minute * 60L + second;
}

// podman 5 has whole seconds in "time", podman 4 a text in "Time".
std::int64_t moment_of(const Json& event) {
    const std::int64_t seconds = number_of(event, "time");
    return seconds != 0 ? std::clamp<std::int64_t>(seconds, 0, last_second)
                        : seconds_of(text_of(event, "Time"));
}

const PlannedContainer* planned_as(const Record& record, const std::string& name) {
    const auto& planned = record.plan.containers;
    const auto found =
        std::find_if(planned.begin(), planned.end(), [&name](const auto& one) { return one.name == name; });
    return found == planned.end() ? nullptr : &*found;
}

} // namespace

std::vector<ContainerEvent> parse_events(std::string_view json) {
    std::vector<ContainerEvent> events;
    for (const auto line : split(json, '\n')) {
        if (trimmed(line).empty())
            continue;
        const Json event = parse_json(line);
        events.push_back({text_of(event, "ID"), text_of(event, "Status"), moment_of(event),
                          static_cast<int>(number_of(event, "ContainerExitCode"))});
    }
    return events;
}

bool was_stopped(std::span<const ContainerEvent> events, std::string_view container) {
    bool stopped = false;
    std::int64_t died = 0;
    unsigned cleanups = 0;
    for (const auto& event : events) {
        if (event.container != container)
            continue;
        if (event.what == "start") {
            stopped = false;
            cleanups = 0;
        } else if (event.what == "stop" || event.what == "kill") {
            stopped = true;
        } else if (event.what == "died") {
            died = event.at;
        } else if (event.what == "cleanup" && event.at - died <= clean_up_time) {
            stopped |= ++cleanups > 1;
        }
    }
    return stopped;
}

std::map<std::string, bool> stopped_by_user(std::string_view json) {
    std::map<std::string, bool> stopped;
    const Json list = parse_json(json);
    if (list.is_array())
        for (const auto& container : list)
            if (const auto id = text_of(container, "Id"); !id.empty())
                stopped[id] = flag_of(member_of(container, "State"), "StoppedByUser");
    return stopped;
}

bool was_removed_after_its_end(std::span<const ContainerEvent> events, std::string_view container) {
    const ContainerEvent* died = nullptr;
    bool removed = false;
    for (const auto& event : events) {
        if (event.container != container)
            continue;
        if (event.what == "start")
            died = nullptr;
        else if (event.what == "died")
            died = &event;
        else if (event.what == "remove")
            removed = died != nullptr && died->exit_code == 0 && event.at - died->at > clean_up_time;
    }
    return removed;
}

bool has_ended_well(const Container& container) {
    return (container.state == "exited" || container.state == "stopped") && container.exit_code == 0;
}

bool is_too_early(std::int64_t exited, std::int64_t now) {
    return exited <= now && now - exited <= clean_up_time; // a time to come is a clock that was set back
}

bool is_before_boot(std::int64_t time) {
    const auto booted = os::booted_at();
    return booted && time < *booted;
}

namespace {

struct Ended {
    RecordedContainer* container;
    bool too_early = false;
    bool gone = false;
    bool unseen = false;    // and is gone
    std::int64_t since = 0; // its events
};

// Those of which it is not known how they ended. `noted`: one of them was noted as just ended before.
std::vector<Ended> ended_since(Record& record, std::span<const Container> seen, bool& noted) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    std::vector<Ended> all;
    for (auto& recorded : record.containers) {
        const PlannedContainer* planned = planned_as(record, recorded.name);
        if (recorded.ended || planned == nullptr || restarts(*planned))
            continue;
        const bool noticed = std::exchange(recorded.just_ended, false);
        const Container* container = find_container(seen, recorded.name);
        const bool may_have_ended =
            container == nullptr || (container->id == recorded.id && has_ended_well(*container));
        noted |= noticed;
        if (!may_have_ended || (container != nullptr && is_before_boot(container->exited)))
            continue; // as for the last: the host was shut down, and no events are left of that
        if (container == nullptr)
            all.push_back({&recorded, false, true, !noticed, now - longest_unseen});
        else
            all.push_back(
                {&recorded, is_too_early(container->exited, now), false, false, container->started});
    }
    return all;
}

std::vector<ContainerEvent> events_of(const Podman& podman, std::span<const Ended> all) {
    Podman::Call call;
    call.arguments = {"events", "--stream=false", "--format", "json"};
    auto since = static_cast<std::int64_t>(std::time(nullptr));
    for (const auto& one : all) {
        since = std::min(since, one.since);
        call.arguments.push_back("--filter=container=" + one.container->id);
    }
    call.arguments.push_back(fmt::format("--since={}", since));
    call.deadline = query_deadline;
    call.ends_with_us = true;
    const auto answer = podman.call(call);
    return parse_events(answer ? std::string_view(answer->output) : std::string_view());
}

// podman leaves out of its answer a container that was removed since.
std::map<std::string, bool> ask_who_was_stopped(const Podman& podman, std::span<const Ended> all) {
    Podman::Call call;
    call.arguments = {"inspect", "--type=container"};
    for (const auto& one : all)
        if (!one.gone)
            call.arguments.push_back(one.container->id);
    if (call.arguments.size() == 2)
        return {};
    call.deadline = query_deadline;
    call.ends_with_us = true;
    const auto answer = podman.call(call);
    return stopped_by_user(answer ? std::string_view(answer->output) : std::string_view());
}

} // namespace

bool note_endings(const Podman& podman, Record& record, std::span<const Container> seen) {
    bool noted = false;
    const auto all = ended_since(record, seen, noted);
    if (all.empty())
        return noted;
    const auto stopped = ask_who_was_stopped(podman, all);
    const auto events = events_of(podman, all);
    for (const auto& one : all) {
        const std::string& id = one.container->id;
        const auto said = stopped.find(id);
        const bool unknown = !one.gone && said == stopped.end();
        if (!unknown && ((!one.gone && said->second) || was_stopped(events, id) ||
                         (one.unseen && !was_removed_after_its_end(events, id))))
            continue;
        (one.too_early || unknown ? one.container->just_ended : one.container->ended) = true;
        noted = true;
    }
    return noted;
}

} // namespace pgod::compose

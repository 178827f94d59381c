#include "compose/survey.hpp"

#include "compose/ending.hpp"
#include "compose/heal.hpp"
#include "compose/release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace pgod::compose {

namespace {

struct Looked {
    Seen seen;
    std::optional<ServiceDirectory> directory;
    std::optional<Record> record;
};

// Before podman is asked: what a deployment changes meanwhile must not look like a fault.
Looked look_at(const std::string& services, const std::string& name) {
    Looked looked;
    looked.seen.service = name;
    auto directory = ServiceDirectory::open(services + "/" + name);
    if (!directory) {
        looked.seen.failed = true;
        looked.seen.problem = std::move(directory).error().message;
        return looked;
    }
    looked.directory.emplace(std::move(*directory));
    const auto lock = looked.directory->lock(std::chrono::steady_clock::now());
    looked.seen.busy = !lock && lock.error().code == Code::timeout;
    looked.record = read_record(*looked.directory, running_release);
    if (looked.record)
        looked.seen.running_commit = looked.record->commit;
    return looked;
}

void keep_note(const ServiceDirectory& directory, const Record& before, const Record& noted) {
    const auto lock = directory.lock(std::chrono::steady_clock::now());
    if (lock && read_record(directory, running_release) == before)
        (void)write_record(directory, running_release, noted); // the next survey notes it again
}

// Of what is wrong, something ran before the host started and has not been started since.
bool ended_with_the_host(std::span<const Fault> faults, std::span<const Container> owned) {
    return std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
        return fault.remedy == Remedy::start &&
               std::any_of(owned.begin(), owned.end(), [&](const Container& container) {
                   return container.id == fault.id && is_before_boot(container.started);
               });
    });
}

void judge(const Podman& podman, Looked& looked, std::span<const Container> containers) {
    const auto owned = owned_by(containers, looked.seen.service);
    if (!looked.record) {
        looked.seen.health = owned.empty() ? Health::missing : Health::degraded;
        return;
    }
    const Record before = *looked.record;
    if (note_endings(podman, *looked.record, owned))
        keep_note(*looked.directory, before, *looked.record);
    looked.seen.health = health_of(expected_containers(*looked.record), owned);
    for (const auto& expected : expected_containers(*looked.record)) {
        const Judgement judgement = judge_container(expected, owned);
        if (looked.seen.problem.empty() && judgement.verdict != Verdict::waiting)
            looked.seen.problem = judgement.problem;
    }
    const auto faults = faults_of(*looked.record, owned);
    const bool cut_off = was_cut_off(*looked.directory);
    looked.seen.lost = cut_off || !faults.empty();
    looked.seen.accident = cut_off || ended_with_the_host(faults, owned);
    if (!faults.empty())
        looked.seen.problem = faults.front().problem;
    else if (cut_off)
        looked.seen.problem = "a deployment was cut off";
    else if (looked.seen.problem.empty() && !looked.record->without_dns.empty())
        looked.seen.problem = without_names(looked.record->without_dns.front());
}

} // namespace

void survey(const Podman& podman, const std::string& services, const std::vector<std::string>& names,
            const std::function<void(Seen)>& tell) {
    std::vector<Looked> all;
    all.reserve(names.size());
    for (const auto& name : names)
        all.push_back(look_at(services, name));
    const auto containers = podman.containers();
    for (auto& looked : all) {
        if (looked.seen.failed || looked.seen.busy) {
        } else if (containers) {
            judge(podman, looked, *containers);
        } else {
            looked.seen.failed = true;
            looked.seen.problem = containers.error().message;
        }
        tell(std::move(looked.seen));
    }
}

} // namespace pgod::compose

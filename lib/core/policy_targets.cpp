#include "core/policy_targets.hpp"

#include "core/memory_file.hpp"
#include "core/mount.hpp"
#include "core/paths.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace pgod {

namespace {

// The runtimes let these few be replaced, which tell of the host, and nothing else of /proc.
bool is_kept_by_the_kernel(const MountTarget& target) {
    constexpr auto replaceable = std::to_array<std::string_view>(
        {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo", "/proc/stat",
         "/proc/swaps", "/proc/uptime", "/proc/net/dev"});
    if (is_at_or_beneath(target.path, "/proc"))
        return std::find(replaceable.begin(), replaceable.end(), target.path) == replaceable.end();
    return target.is_file && is_at_or_beneath(target.path, "/sys");
}

} // namespace

std::vector<MountTarget> mount_targets(const PlannedContainer& container) {
    std::vector<MountTarget> targets;
    const auto add = [&targets](std::string_view setting, std::string_view path, bool is_file) {
        targets.push_back({setting, lexical_path("/", path).value_or(std::string(path)), is_file});
    };
    for (const auto& option : container.options) {
        if (option.flag == "--tmpfs")
            add("tmpfs", option.value.substr(0, option.value.find(':')), false);
        else if (const auto file = memory_file_of(option))
            add("secrets", file->target, true);
        else if (const auto mount = mount_of(option))
            add("volumes", mount->target, false);
    }
    return targets;
}

void judge_targets(const PlannedContainer& container, Findings& findings) {
    const auto targets = mount_targets(container);
    for (const auto& target : targets) {
        if (is_kept_by_the_kernel(target))
            findings.add(container.service, std::string(target.setting),
                         quoted_value(target.path) + " belongs to the kernel, and nothing can be mounted "
                                                     "there; choose another target");
        for (const auto& inner : targets)
            if (target.is_file && inner.path != target.path && is_at_or_beneath(inner.path, target.path))
                findings.add(container.service, std::string(inner.setting),
                             "nothing can be mounted at " + quoted_value(inner.path) + ": " +
                                 quoted_value(target.path) +
                                 " is a file, a secret or config; choose another target");
    }
}

} // namespace pgod

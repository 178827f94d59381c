// What a container mounts from outside of itself: podman's --volume value as structure, and the other way
// round.
// --mount values are read into the same, so a plan holds one form only. Options are sorted: podman-compose
// prints them in random order.
#pragma once

#include "base/result.hpp"
#include "core/plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgod {

enum class MountKind { bind, volume, anonymous };

struct Mount {
    MountKind kind = MountKind::anonymous;
    std::string source; // bind: a path, as it was written; volume: its name; anonymous: empty
    std::string target; // absolute, in the container
    std::vector<std::string> options;
    bool operator==(const Mount&) const = default;
};

// The error's message is a problem in the words of the compose file.
Result<Mount> parse_volume(std::string_view value);
std::string volume_value(const Mount& mount); // sorted options

// A --mount value: what it is as one option of the plan, "--volume" or "--tmpfs".
using MountOrTmpfs = std::variant<Mount, std::string>;
Result<MountOrTmpfs> parse_mount(std::string_view value);

std::optional<Mount> mount_of(const PlanOption& option); // of a "--volume" that parse_plan made
std::optional<Mount> bind_of(const PlanOption& option);  // the same, where it is a bind
PlanOption volume_option(const Mount& mount);

// The host's time: /etc/localtime, /etc/timezone and the files of its zones. Root alone changes them, so each
// container may read them, also through links.
bool is_path_of_time(std::string_view path) noexcept;
bool is_optional_path_of_time(
    std::string_view path) noexcept; // a container goes without it where it is missing
bool is_read_only(const Mount& mount);

} // namespace pgod

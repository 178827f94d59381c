#include "core/mount.hpp"

#include "base/text.hpp"
#include "core/findings.hpp"
#include "core/paths.hpp"
#include "core/plan_shapes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace pgod {

namespace {

Error problem(std::string message) {
    return {Code::invalid, std::move(message)};
}

// One of a group at most: podman refuses two of them, and would do so only when the container is made.
constexpr std::array<std::pair<std::string_view, std::size_t>, 15> allowed_options{{
    {"ro", 0},
    {"rw", 0},
    {"z", 1},
    {"Z", 1},
    {"private", 2},
    {"rprivate", 2},
    {"slave", 2},
    {"rslave", 2},
    {"bind", 3},
    {"rbind", 3},
    {"nocopy", 4},
    {"copy", 4},
    {"noexec", 5},
    {"nosuid", 6},
    {"nodev", 7},
}};

Status check_options(const Mount& mount) {
    std::array<bool, 8> seen{};
    for (const auto& option : mount.options) {
        const auto* row = std::find_if(allowed_options.begin(), allowed_options.end(),
                                       [&](const auto& allowed) { return allowed.first == option; });
        if (row == allowed_options.end())
            return problem("mount option " + quoted_value(option) + " of " + quoted_value(mount.target) +
                           " is not allowed");
        if (std::exchange(seen.at(row->second), true))
            return problem("mount option " + quoted_value(option) + " of " + quoted_value(mount.target) +
                           " repeats or contradicts another one");
    }
    return ok();
}

// As podman tells them apart: what begins with "/" or "." is a path of the host, anything else a volume's
// name.
Result<Mount> checked(Mount mount) {
    if (!is_container_path(mount.target))
        return problem("target " + quoted_value(mount.target) + " is not an absolute path in the container");
    TRY(check_options(mount));
    std::sort(mount.options.begin(), mount.options.end());
    if (mount.kind == MountKind::anonymous)
        return mount;
    if (!mount.source.starts_with('/') && !mount.source.starts_with('.')) {
        mount.kind = MountKind::volume;
        if (!is_object_name(mount.source))
            return problem("source " + quoted_value(mount.source) +
                           " is neither a volume's name nor a path that begins with / or ./");
        return mount;
    }
    mount.kind = MountKind::bind;
    if (!is_plain_path(mount.source))
        return problem("source " + quoted_value(mount.source) +
                       " holds a colon, comma, quote, backslash or control character");
    if (has_dot_dot(mount.source))
        return problem("source " + quoted_value(mount.source) + " holds \"..\"");
    return mount;
}

std::optional<bool> truth(std::string_view value, bool present) {
    if (!present || value == "true" || value == "1")
        return true;
    if (value == "false" || value == "0")
        return false;
    return std::nullopt;
}

// The fields of a --mount value before they are judged together.
struct MountFields {
    std::string type;
    std::string tmpfs_options;
    Mount mount;
};

Status read_field(MountFields& fields, std::string_view field) {
    const auto equals = field.find('=');
    const auto name = field.substr(0, equals);
    const bool present = equals != std::string_view::npos;
    const auto value = present ? field.substr(equals + 1) : std::string_view();
    auto& mount = fields.mount;
    if (name == "type") {
        fields.type = value;
    } else if (name == "source" || name == "src") {
        mount.source = value;
    } else if (name == "destination" || name == "dst" || name == "target") {
        mount.target = value;
    } else if (name == "ro" || name == "readonly") {
        const auto read_only = truth(value, present);
        if (!read_only)
            return problem("mount option " + quoted_value(field) + " is neither true nor false");
        mount.options.emplace_back(*read_only ? "ro" : "rw");
    } else if (name == "bind-propagation" && present) {
        mount.options.emplace_back(value);
    } else if (name == "relabel" && (value == "shared" || value == "private")) {
        mount.options.emplace_back(value == "shared" ? "z" : "Z");
    } else if (name == "bind-nonrecursive" && truth(value, present) == true) {
        mount.options.emplace_back("bind");
    } else if (name == "tmpfs-size" || name == "tmpfs-mode") {
        fields.tmpfs_options.append(fields.tmpfs_options.empty() ? ":" : ",")
            .append(name.substr(6))
            .append("=");
        fields.tmpfs_options.append(value);
    } else if (name != "consistency") { // podman ignores that one
        return problem("mount option " + quoted_value(field) + " is not allowed");
    }
    return ok();
}

} // namespace

Result<Mount> parse_volume(std::string_view value) {
    const auto fields = split(value, ':');
    if (fields.size() > 3)
        return problem(quoted_value(value) + " has more than source, target and options");
    Mount mount;
    if (fields.size() == 1) {
        mount.target = fields[0];
        return checked(std::move(mount));
    }
    mount.kind = MountKind::volume;
    mount.source = fields[0];
    mount.target = fields[1];
    if (fields.size() == 3)
        for (const auto option : split(fields[2], ','))
            mount.options.emplace_back(option);
    return checked(std::move(mount));
}

Result<MountOrTmpfs> parse_mount(std::string_view value) {
    // podman reads the value as a line of CSV; without quotes that is a split at commas.
    if (value.find_first_of("\"\r\n") != std::string_view::npos)
        return problem(quoted_value(value) + " holds a quote or a line break");
    MountFields fields;
    for (const auto field : split(value, ','))
        TRY(read_field(fields, field));
    auto& mount = fields.mount;
    if (fields.type == "tmpfs") {
        auto tmpfs = mount.target + fields.tmpfs_options;
        if (!mount.source.empty() || !mount.options.empty() || !is_tmpfs(tmpfs))
            return problem(quoted_value(value) + " is not a tmpfs with a target, a size and a mode");
        return MountOrTmpfs(std::move(tmpfs));
    }
    if (fields.type != "bind" && fields.type != "volume")
        return problem("a mount of type " + quoted_value(fields.type) + " is not allowed");
    if (!fields.tmpfs_options.empty())
        return problem(quoted_value(value) + " mixes options of tmpfs with another type");
    // podman takes a relative source of type=bind as a path also without "./".
    const bool relative = !mount.source.starts_with('/') && !mount.source.starts_with('.');
    if (fields.type == "bind" && !mount.source.empty() && relative)
        mount.source.insert(0, "./");
    const auto wanted = fields.type == "bind"  ? MountKind::bind
                        : mount.source.empty() ? MountKind::anonymous
                                               : MountKind::volume;
    mount.kind = wanted;
    if (wanted == MountKind::bind && mount.source.empty())
        return problem(quoted_value(value) + " has no source");
    auto result = TRY(checked(std::move(mount)));
    if (result.kind != wanted)
        return problem(quoted_value(value) + " has a source that does not fit its type");
    return MountOrTmpfs(std::move(result));
}

std::string volume_value(const Mount& mount) {
    std::string value;
    if (mount.kind != MountKind::anonymous)
        value.append(mount.source).append(":");
    value.append(mount.target);
    for (std::size_t i = 0; i < mount.options.size(); ++i)
        value.append(i == 0 ? ":" : ",").append(mount.options[i]);
    return value;
}

std::optional<Mount> mount_of(const PlanOption& option) {
    if (option.flag != "--volume")
        return std::nullopt;
    auto mount = parse_volume(option.value);
    if (!mount)
        return std::nullopt;
    return std::move(*mount);
}

std::optional<Mount> bind_of(const PlanOption& option) {
    auto mount = mount_of(option);
    if (mount && mount->kind != MountKind::bind)
        mount.reset();
    return mount;
}

PlanOption volume_option(const Mount& mount) {
    return {"--volume", volume_value(mount)};
}

bool is_optional_path_of_time(std::string_view path) noexcept {
    return path == "/etc/localtime" || path == "/etc/timezone";
}

bool is_path_of_time(std::string_view path) noexcept {
    return is_optional_path_of_time(path) || is_at_or_beneath(path, "/usr/share/zoneinfo");
}

bool is_read_only(const Mount& mount) {
    return std::find(mount.options.begin(), mount.options.end(), "ro") != mount.options.end();
}

} // namespace pgod

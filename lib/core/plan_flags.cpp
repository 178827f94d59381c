#include "core/plan_flags.hpp"

#include "base/text.hpp"
#include "core/allowance.hpp"
#include "core/memory_file.hpp"
#include "core/plan_networks.hpp"
#include "core/plan_shapes.hpp"
#include "core/stop_grace.hpp"

#include <algorithm>
#include <array>

namespace pgod {

namespace {

bool is_not_empty(std::string_view value) noexcept {
    return !value.empty();
}

bool is_pull_policy(std::string_view value) noexcept {
    return value == "always" || value == "missing" || value == "if_not_present" || value == "never" ||
           value == "newer";
}

bool is_log_driver(std::string_view value) noexcept {
    return value == "journald" || value == "k8s-file" || value == "json-file" || value == "none";
}

// podman reads the value as CSV, takes the names in any case, and knows "path" and "driver" besides these.
bool is_log_option(std::string_view value) {
    const auto equals = std::min(value.find('='), value.size());
    const auto name = value.substr(0, equals);
    const auto text = value.substr(std::min(equals + 1, value.size()));
    if (name == "max-size")
        return is_size(text);
    if (name == "max-file")
        return is_number(text);
    return name == "tag" && !text.empty() && text.size() <= 256 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789{}._-/ ") ==
               std::string_view::npos;
}

bool is_interval(std::string_view value) noexcept {
    return value == "disable" || is_duration(value);
}

bool is_retries(std::string_view value) noexcept {
    return is_number(value) && value.size() <= 9 && value.find_first_not_of('0') != std::string_view::npos;
}

bool is_stop_timeout(std::string_view value) noexcept {
    const auto seconds = parse_decimal(value);
    return seconds && *seconds <= static_cast<std::uint64_t>(longest_stop_grace.count());
}

// podman's word keep-groups would give the container the groups that the user has on the host.
bool is_group(std::string_view value) noexcept {
    return is_object_name(value) && value != "keep-groups";
}

bool is_unlimited(std::string_view value) noexcept {
    return value == "-1";
}

bool is_number_or_unlimited(std::string_view value) noexcept {
    return is_unlimited(value) || is_number(value);
}

bool is_size_or_unlimited(std::string_view value) noexcept {
    return is_unlimited(value) || is_size(value);
}

// resolv.conf has them as words of a line.
bool is_resolver_option(std::string_view value) noexcept {
    const auto colon = value.find(':');
    return is_object_name(value.substr(0, colon)) &&
           (colon == std::string_view::npos || is_number(value.substr(colon + 1)));
}

bool is_search_domain(std::string_view value) noexcept {
    return value == "." || is_object_name(value);
}

bool is_ipc(std::string_view value) noexcept {
    return value == "none" || value == "private" || value == "shareable";
}

bool is_oom_score(std::string_view value) noexcept {
    return is_number(value) && value.size() <= 4 && (value.size() < 4 || value <= "1000");
}

bool is_working_directory(std::string_view value) {
    return value == "/" || is_container_path(value);
}

bool is_none(std::string_view value) noexcept {
    return value == "none";
}

constexpr std::string_view a_size = "a size such as 64m";
constexpr std::string_view a_duration = "a duration such as 30s";
constexpr std::string_view a_name = "a name of letters, digits, \"_\", \".\" and \"-\"";

constexpr auto run_table = std::to_array<Flag>({
    {"--name", "", "container_name", Take::drop, true, is_object_name, a_name},
    {"--detach", "-d", "", Take::drop, false},
    {"--pull", "", "pull_policy", Take::drop, true, is_pull_policy,
     "always, missing, if_not_present, newer, never"},
    {"--read-only", "", "read_only", Take::once, false},
    {"--label", "-l", "labels", Take::many},
    {"--cap-drop", "", "cap_drop", Take::many, true, is_capability, "the name of a capability"},
    {"--env-file", "", "env_file", Take::many, true, is_plain_path,
     "a path without colon, comma, quote and backslash"},
    {"--env", "-e", "environment", Take::many},
    {"--tmpfs", "", "tmpfs", Take::many, true, is_tmpfs,
     "an absolute path with options of size, mode, uid, gid, nr_inodes, rw, ro, exec, noexec, nosuid, nodev"},
    {"--volume", "-v", "volumes", Take::many},
    {"--mount", "", "volumes", Take::many},
    {"--network", "--net", "networks", Take::many},
    {"--network-alias", "", "networks", Take::many, true, is_compose_name, a_name},
    {"--log-driver", "", "logging", Take::once, true, is_log_driver, "journald, k8s-file, json-file or none"},
    {"--log-opt", "", "logging", Take::many, true, is_log_option,
     "max-size, max-file or tag with a plain value"},
    {"--add-host", "", "extra_hosts", Take::many, true, is_host_entry, "NAME:ADDRESS"},
    {"--expose", "", "expose", Take::many, true, is_exposed_port, "a port or a range of ports"},
    {"--publish", "-p", "ports", Take::many},
    {"--user", "-u", "user", Take::once, true, is_user, "USER or USER:GROUP"},
    {"--workdir", "-w", "working_dir", Take::once, true, is_working_directory, "an absolute path"},
    {"--hostname", "-h", "hostname", Take::once, true, is_hostname, "a host name"},
    {"--shm-size", "", "shm_size", Take::once, true, is_size, a_size},
    {"--interactive", "-i", "stdin_open", Take::once, false},
    {"--stop-signal", "", "stop_signal", Take::once, true, is_signal,
     "a signal that podman knows, such as SIGINT"},
    {"--tty", "-t", "tty", Take::once, false},
    {"--restart", "", "restart", Take::once, true, is_restart_policy,
     "\"no\" (with its quotes), always, on-failure[:COUNT] or unless-stopped"},
    {"--ulimit", "", "ulimits", Take::many, true, is_ulimit, "NAME=SOFT[:HARD]"},
    {"--cpus", "", "cpus", Take::once, true, is_positive_decimal, "a number such as 0.5"},
    {"--cpu-shares", "-c", "cpu_shares", Take::once, true, is_number, "a number"},
    {"--memory", "-m", "mem_limit", Take::once, true, is_size, a_size},
    {"--memory-reservation", "", "mem_reservation", Take::once, true, is_size, a_size},
    {"--init", "", "init", Take::once, false},
    {"--group-add", "", "group_add", Take::many, true, is_group, "a group of the container"},
    {"--stop-timeout", "", "stop_grace_period", Take::once, true, is_stop_timeout,
     "a number of seconds, at most 600"},
    {"--dns", "", "dns", Take::many, true, is_ip_address, "an IP address"},
    {"--dns-option", "", "dns_opt", Take::many, true, is_resolver_option, "an option such as ndots:2"},
    {"--dns-search", "", "dns_search", Take::many, true, is_search_domain, "a domain, or \".\""},
    {"--mac-address", "", "mac_address", Take::once, true, is_mac_address, "such as 02:42:ac:11:65:43"},
    {"--pids-limit", "", "pids_limit", Take::once, true, is_number_or_unlimited, "a number, or -1"},
    {"--memory-swap", "", "memswap_limit", Take::once, true, is_size_or_unlimited, "a size, or -1"},
    {"--cpu-period", "", "cpu_period", Take::once, true, is_number, "a number of microseconds"},
    {"--cpu-quota", "", "cpu_quota", Take::once, true, is_number_or_unlimited,
     "a number of microseconds, or -1"},
    {"--ipc", "", "ipc", Take::once, true, is_ipc, "none, private or shareable"},
    {"--oom-score-adj", "", "oom_score_adj", Take::once, true, is_oom_score, "a number from 0 to 1000"},
    {"--entrypoint", "", "entrypoint", Take::once, true, is_not_empty, "a command"},
    {"--health-cmd", "--healthcheck-command", "healthcheck", Take::once, true, is_not_empty, "a command"},
    {"--no-healthcheck", "", "healthcheck", Take::once, false},
    {"--health-interval", "--healthcheck-interval", "healthcheck", Take::once, true, is_interval, a_duration},
    {"--health-timeout", "--healthcheck-timeout", "healthcheck", Take::once, true, is_duration, a_duration},
    {"--health-start-period", "--healthcheck-start-period", "healthcheck", Take::once, true, is_duration,
     a_duration},
    {"--health-retries", "--healthcheck-retries", "healthcheck", Take::once, true, is_retries,
     "a number of retries"},
    {memory_file_flag, "", "secrets", Take::many, true, is_memory_file,
     "a file of a secret or config: an absolute target, numbers for uid and gid, a mode up to 0777"},
    {"--privileged", "", "privileged", Take::never, false},
    {"--cap-add", "", "cap_add", Take::granted, true, is_capability, "the name of a capability"},
    {"--device", "", "devices", Take::granted, true, is_device_mapping,
     "a device beneath /dev, such as /dev/fuse[:/dev/NAME[:rwm]]"},
    {"--security-opt", "", "security_opt", Take::granted, true, is_not_empty, "a security option"},
    {"--sysctl", "", "sysctls", Take::granted, true, is_sysctl, "NAME=VALUE with a plain value"},
    {"--pod", "", "pod", Take::never},
    {"--annotation", "", "annotations", Take::never},
    {"--secret", "", "secrets", Take::never},
    {"--init-path", "", "init-path", Take::never},
    {"--publish-all", "-P", "publishall", Take::never, false},
    {"--pid", "", "pid", Take::never},
    {"--uts", "", "uts", Take::never},
    {"--userns", "", "userns_mode", Take::never},
    {"--cgroup-parent", "", "cgroup_parent", Take::never},
    {"--device-cgroup-rule", "", "device_cgroup_rules", Take::never},
    {"--volumes-from", "", "volumes_from", Take::never},
});

constexpr auto build_table = std::to_array<Flag>({
    {"--tag", "-t", "image", Take::drop, true, is_image_reference, "the name of an image"},
    {"--file", "-f", "build", Take::drop, true, is_plain_path,
     "a path without colon, comma, quote and backslash"},
    {"--target", "", "build", Take::once, true, is_object_name, a_name},
    {"--ulimit", "", "ulimits", Take::many, true, is_ulimit, "NAME=SOFT[:HARD]"},
    {"--build-arg", "", "build", Take::many},
    {"--no-cache", "", "build", Take::once, false},
    {"--network", "", "build", Take::once, true, is_none, "none"},
    {"--shm-size", "", "build", Take::once, true, is_size, a_size},
    {"--label", "", "build", Take::many, true, is_not_empty, "NAME=VALUE"},
    {"--add-host", "", "build", Take::many, true, is_host_entry, "NAME:ADDRESS"},
});

const Flag* find_flag(std::span<const Flag> table, std::string_view spelling) {
    const auto row = std::find_if(table.begin(), table.end(), [spelling](const Flag& flag) {
        return flag.name == spelling || (!flag.other.empty() && flag.other == spelling);
    });
    return row == table.end() ? nullptr : &*row;
}

} // namespace

std::span<const Flag> run_flags() noexcept {
    return run_table;
}

std::span<const Flag> build_flags() noexcept {
    return build_table;
}

GivenFlags read_flags(std::span<const std::string> arguments, std::span<const Flag> table) {
    GivenFlags given;
    while (given.used < arguments.size()) {
        const std::string_view argument = arguments[given.used];
        if (!argument.starts_with('-'))
            return given;
        const auto equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
        const auto* flag = find_flag(table, argument.substr(0, equals));
        const bool joined = equals != std::string_view::npos;
        const bool next_is_value = flag != nullptr && flag->has_value && !joined;
        if (flag == nullptr || (joined && !flag->has_value) ||
            (next_is_value && given.used + 1 == arguments.size())) {
            given.stray = argument;
            return given;
        }
        GivenFlag found{flag, {}, !next_is_value};
        if (joined)
            found.value = argument.substr(equals + 1);
        else if (next_is_value)
            found.value = arguments[++given.used];
        given.flags.push_back(std::move(found));
        ++given.used;
    }
    return given;
}

} // namespace pgod

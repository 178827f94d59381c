#include "core/allowance.hpp"

#include "base/text.hpp"
#include "core/paths.hpp"
#include "core/plan_shapes.hpp"

#include <algorithm>
#include <array>

namespace pgod {

namespace {

// capabilities(7) of Linux 6.1.
constexpr auto capabilities =
    std::to_array<std::string_view>({"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                     "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                     "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                     "FOWNER",          "FSETID",       "IPC_LOCK",
                                     "IPC_OWNER",       "KILL",         "LEASE",
                                     "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                     "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                     "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                     "SETFCAP",         "SETGID",       "SETPCAP",
                                     "SETUID",          "SYSLOG",       "SYS_ADMIN",
                                     "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
                                     "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
                                     "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
                                     "SYS_TTY_CONFIG",  "WAKE_ALARM"});

constexpr auto security_options = std::to_array<std::string_view>(
    {"apparmor=unconfined", "label=disable", "seccomp=unconfined", "unmask=ALL"});

// /dev/shm and /dev/mqueue are written by everyone: a link there would lead elsewhere.
bool is_device(std::string_view path) {
    return is_container_path(path) && path.starts_with("/dev/") && path.size() > 5 && !path.ends_with("/.") &&
           path.size() <= 255 && path.find("//") == std::string_view::npos && path.back() != '/' &&
           path.find("/./") == std::string_view::npos && !is_at_or_beneath(path, "/dev/shm") &&
           !is_at_or_beneath(path, "/dev/mqueue") && !is_at_or_beneath(path, "/dev/fd");
}

// Those of a container's own namespaces; podman refuses every other one.
bool is_namespaced_sysctl(std::string_view name) {
    constexpr auto single = std::to_array<std::string_view>(
        {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
         "kernel.shmmni", "kernel.shm_rmid_forced"});
    return std::find(single.begin(), single.end(), name) != single.end() ||
           (is_object_name(name) && (name.starts_with("net.") || name.starts_with("fs.mqueue.")));
}

constexpr auto kinds = std::to_array<AllowanceKind>({
    {"cap", "cap:NET_ADMIN", capabilities, nullptr, "a capability such as \"cap:NET_ADMIN\""},
    {"device", "device:/dev/fuse", {}, is_device, "a device beneath /dev such as \"device:/dev/fuse\""},
    {allow_host_network, allow_host_network},
    {allow_nested_binds, allow_nested_binds},
    {"security-opt", "security-opt:label=disable", security_options, nullptr,
     "\"security-opt:\" with \"apparmor=unconfined\", \"label=disable\", \"seccomp=unconfined\" or "
     "\"unmask=ALL\""},
    {"sysctl",
     "sysctl:net.core.somaxconn",
     {},
     is_namespaced_sysctl,
     "a kernel setting of a container's own (net.*, fs.mqueue.*, kernel.msg*, kernel.sem, kernel.shm*) such "
     "as "
     "\"sysctl:net.core.somaxconn\""},
});

std::string plain_capability(std::string_view text) {
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return name.starts_with("CAP_") ? name.substr(4) : name;
}

// What podman 4.3.1 gives every container: to add one of these after `cap_drop: [ALL]` takes nothing from
// anybody. NET_RAW and MKNOD are not among them.
constexpr auto default_capabilities =
    std::to_array<std::string_view>({"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE",
                                     "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"});

bool is_one_of(std::string_view text, std::span<const std::string_view> all) {
    return std::find(all.begin(), all.end(), text) != all.end();
}

std::optional<std::string> word_for(std::string_view kind, std::string_view value) {
    for (const auto& one : kinds)
        if (one.word == kind && (one.values.empty() ? one.fits(value) : is_one_of(value, one.values)))
            return allowance(kind, value);
    return std::nullopt;
}

} // namespace

std::span<const AllowanceKind> allowance_kinds() noexcept {
    return kinds;
}

std::string allowance(std::string_view kind, std::string_view value) {
    return std::string(kind) + ":" + (kind == "cap" ? plain_capability(value) : std::string(value));
}

std::optional<std::string> needed_allowance(const PlanOption& option) {
    const std::string_view value = option.value;
    if (option.flag == "--cap-add") {
        const auto name = plain_capability(value);
        return is_one_of(name, default_capabilities) ? std::string() : word_for("cap", name);
    }
    if (option.flag == "--device")
        return word_for("device", value.substr(0, value.find(':')));
    if (option.flag == "--sysctl")
        return word_for("sysctl", value.substr(0, value.find('=')));
    constexpr std::string_view less = "no-new-privileges"; // podman: with "=" or ":", or alone
    if (value == less || (value.starts_with(less) &&
                          (value.substr(less.size()) == ":true" || value.substr(less.size()) == "=true")))
        return std::string();
    std::string written(value);
    if (const auto colon = written.find(':');
        written.find('=') == std::string::npos && colon != std::string::npos)
        written[colon] = '='; // docker's older form
    return word_for("security-opt", written);
}

bool is_device_mapping(std::string_view text) {
    const auto parts = split(text, ':');
    return parts.size() <= 3 && is_device(parts[0]) && (parts.size() < 2 || is_container_path(parts[1])) &&
           (parts.size() < 3 || (!parts[2].empty() && parts[2].size() <= 3 &&
                                 parts[2].find_first_not_of("rwm") == std::string_view::npos));
}

bool is_sysctl(std::string_view text) noexcept {
    const auto equals = text.find('=');
    return equals != std::string_view::npos && is_object_name(text.substr(0, equals)) &&
           equals + 1 < text.size() && text.size() <= 256 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-",
                                  equals + 1) == std::string_view::npos;
}

bool is_network_mode(std::string_view name) noexcept {
    constexpr auto modes = std::to_array<std::string_view>(
        {"bridge", "container", "default", "host", "none", "ns", "pasta", "pod", "private", "slirp4netns"});
    return std::find(modes.begin(), modes.end(), name) != modes.end();
}

} // namespace pgod

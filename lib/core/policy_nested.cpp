#include "core/policy_nested.hpp"

#include "core/findings.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace pgod {

namespace {

constexpr std::string_view host_files = "would read or write files outside of the repository";
constexpr std::string_view host_part = "would reach the host's devices, networks or secrets";
constexpr std::string_view ignored = "is ignored by this podman-compose; remove it";

// `problem` empty: may be there. The longest row that is the key or stands before its next dot decides.
struct Row {
    std::string_view path;
    std::string_view problem = {};
};

constexpr auto service_rows = std::to_array<Row>({
    {"build"},
    {"build.additional_contexts", host_files},
    {"build.args"},
    {"build.cache_from", host_files},
    {"build.cache_to", host_files},
    {"build.context"},
    {"build.dockerfile"},
    {"build.dockerfile_inline", ignored},
    {"build.entitlements", host_part},
    {"build.extra_hosts"},
    {"build.isolation", ignored},
    {"build.labels"},
    {"build.network", host_part},
    {"build.no_cache"},
    {"build.platforms"},
    {"build.privileged", host_part},
    {"build.pull"},
    {"build.secrets", host_files},
    {"build.shm_size"},
    {"build.ssh", host_part},
    {"build.tags", "would give names to images of other services"},
    {"build.target"},
    {"build.ulimits"},
    {"deploy"},
    {"deploy.endpoint_mode"},
    {"deploy.labels"},
    {"deploy.mode"},
    {"deploy.placement"},
    {"deploy.replicas"},
    {"deploy.resources"},
    {"deploy.resources.limits"},
    {"deploy.resources.limits.cpus"},
    {"deploy.resources.limits.memory"},
    {"deploy.resources.limits.pids"},
    {"deploy.resources.reservations"},
    {"deploy.resources.reservations.cpus"},
    {"deploy.resources.reservations.devices", host_part},
    {"deploy.resources.reservations.generic_resources", host_part},
    {"deploy.resources.reservations.memory"},
    {"deploy.restart_policy"},
    {"deploy.rollback_config"},
    {"deploy.update_config"},
    {"env_file.format", ignored},
    {"env_file.path"},
    {"env_file.required"},
    {"networks"},
    {"networks.*"},
    {"networks.*.aliases"},
    {"networks.*.driver_opts", host_part},
    {"networks.*.gw_priority"},
    {"networks.*.interface_name", ignored},
    {"networks.*.ipv4_address", ignored},
    {"networks.*.ipv6_address", ignored},
    {"networks.*.link_local_ips", ignored},
    {"networks.*.mac_address", ignored},
    {"networks.*.priority"},
    {"volumes.bind"},
    {"volumes.bind.create_host_path"},
    {"volumes.bind.propagation"},
    {"volumes.bind.recursive", ignored},
    {"volumes.bind.selinux"},
    {"volumes.consistency"},
    {"volumes.image", ignored},
    {"volumes.read_only"},
    {"volumes.source"},
    {"volumes.target"},
    {"volumes.tmpfs"},
    {"volumes.tmpfs.mode"},
    {"volumes.tmpfs.size"},
    {"volumes.type"},
    {"volumes.volume"},
    {"volumes.volume.labels", ignored},
    {"volumes.volume.nocopy"},
    {"volumes.volume.propagation"},
    {"volumes.volume.subpath", ignored},
});

constexpr auto network_rows = std::to_array<Row>({
    {"attachable"},
    {"driver=bridge"},
    {"driver=default"},
    {"driver_opts"}, // nothing of it reaches podman-compose: reader/drivers.py
    {"enable_ipv4", ignored},
    {"enable_ipv6", ignored},
    {"external"},
    {"internal"},
    {"ipam", ignored},
    {"labels"},
    {"name"},
});

constexpr auto volume_rows = std::to_array<Row>({
    {"driver=default"},
    {"driver=local"},
    {"driver_opts"}, // likewise: translator/mounts.py
    {"external"},
    {"labels"},
    {"name"},
});

template<std::size_t size>
const Row* row_of(const std::array<Row, size>& rows, std::string_view path) {
    for (;;) {
        const auto found =
            std::find_if(rows.begin(), rows.end(), [path](const Row& row) { return row.path == path; });
        if (found != rows.end())
            return &*found;
        const auto dot = path.rfind('.');
        if (dot == std::string_view::npos)
            return nullptr;
        path = path.substr(0, dot);
    }
}

// These hold names of the author's own; anywhere else a key beneath a known one has to be known itself.
bool holds_any_name(std::string_view path) {
    constexpr auto open = std::to_array<std::string_view>(
        {"build.args", "build.extra_hosts", "build.labels", "build.ulimits", "deploy.labels",
         "deploy.placement", "deploy.restart_policy", "deploy.rollback_config", "deploy.update_config",
         "driver_opts", "external", "labels"});
    return std::find(open.begin(), open.end(), path) != open.end();
}

bool is_extension(std::string_view path) {
    return (path.starts_with("x-") || path.find(".x-") != std::string_view::npos) &&
           path.find("x-podman") == std::string_view::npos;
}

} // namespace

std::vector<Violation> judge_nested_keys(std::span<const NestedKey> keys) {
    Findings findings;
    for (const auto& [section, name, path] : keys) {
        const bool of_service = section == "services";
        const auto* row = of_service              ? row_of(service_rows, path)
                          : section == "networks" ? row_of(network_rows, path)
                                                  : row_of(volume_rows, path);
        const auto setting = of_service ? path : section + "." + name + "." + path;
        const std::string service = of_service ? name : std::string();
        if (row != nullptr && !row->problem.empty())
            findings.refuse(service, setting, std::string(row->problem));
        else if (row == nullptr && path.starts_with("driver="))
            findings.refuse(service, section + "." + name + ".driver",
                            quoted_value(std::string_view(path).substr(path.find('=') + 1)) +
                                " is not allowed");
        else if (!is_extension(path) && (row == nullptr || (row->path != path && !holds_any_name(row->path))))
            findings.unknown(service, setting,
                             "is not a key that pgod knows; begin your own keys with \"x-\"");
    }
    return std::move(findings).take();
}

} // namespace pgod

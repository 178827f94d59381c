#include "core/policy_model.hpp"

#include "core/policy_settings.hpp"

#include "core/plan_shapes.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace pgod {

namespace {

// Of the Compose specification and podman-compose. Asked of each: would a podman-compose that honours it give
// the container more than the rest of the policy allows? What podman-compose 1.0.3 turns into podman's flags
// is here even where it is dangerous: the flag is judged, so `privileged: false` passes.
constexpr auto service_keys = std::to_array<std::string_view>({"annotations",
                                                               "attach",
                                                               "blkio_config",
                                                               "build",
                                                               "cap_add",
                                                               "cap_drop",
                                                               "command",
                                                               "configs",
                                                               "container_name",
                                                               "cpu_count",
                                                               "cpu_percent",
                                                               "cpu_period",
                                                               "cpu_quota",
                                                               "cpu_shares",
                                                               "cpus",
                                                               "cpuset",
                                                               "depends_on",
                                                               "deploy",
                                                               "develop",
                                                               "devices",
                                                               "dns",
                                                               "dns_opt",
                                                               "dns_search",
                                                               "domainname",
                                                               "entrypoint",
                                                               "env_file",
                                                               "environment",
                                                               "expose",
                                                               "extends",
                                                               "extra_hosts",
                                                               "group_add",
                                                               "healthcheck",
                                                               "hostname",
                                                               "image",
                                                               "init",
                                                               "init-path",
                                                               "labels",
                                                               "links",
                                                               "logging",
                                                               "mac_address",
                                                               "mem_limit",
                                                               "mem_reservation",
                                                               "mem_swappiness",
                                                               "memswap_limit",
                                                               "network_mode",
                                                               "networks",
                                                               "pids_limit",
                                                               "platform",
                                                               "pod",
                                                               "ports",
                                                               "privileged",
                                                               "publishall",
                                                               "pull_policy",
                                                               "read_only",
                                                               "restart",
                                                               "scale",
                                                               "secrets",
                                                               "security_opt",
                                                               "shm_size",
                                                               "stdin_open",
                                                               "stop_grace_period",
                                                               "stop_signal",
                                                               "sysctls",
                                                               "tmpfs",
                                                               "tty",
                                                               "ulimits",
                                                               "user",
                                                               "volumes",
                                                               "working_dir"});

struct RefusedKey {
    std::string_view key;
    std::string_view problem;
};

constexpr std::string_view other_containers =
    "would reach containers, namespaces or groups outside of this service";
constexpr std::string_view other_devices = "would reach devices or the host's resources";

constexpr std::string_view not_run =
    "is ignored by this podman-compose, and would run commands or programs; remove it";

constexpr std::array<RefusedKey, 25> refused_service_keys{{
    {"cgroup", other_containers},
    {"cgroup_parent", other_containers},
    {"cpu_rt_period", other_devices},
    {"cpu_rt_runtime", other_devices},
    {"credential_spec", other_containers},
    {"device_cgroup_rules", other_devices},
    {"external_links", other_containers},
    {"gpus", other_devices},
    {"ipc", other_containers},
    {"label_file", "would read a file that podman-compose does not check; write the labels under \"labels\""},
    {"oom_kill_disable", other_devices},
    {"models", "is ignored by this podman-compose; remove it"},
    {"oom_score_adj", other_devices},
    {"pid", other_containers},
    {"post_start", not_run},
    {"pre_start", not_run},
    {"pre_stop", not_run},
    {"profiles",
     "is ignored by this podman-compose, so the service would always run; remove the key or the service"},
    {"provider", not_run},
    {"runtime", "would choose the program that makes the container"},
    {"storage_opt", other_devices},
    {"use_api_socket", "would hand podman itself to the container"},
    {"userns_mode", other_containers},
    {"uts", other_containers},
    {"volumes_from", other_containers},
}};

constexpr std::array<std::string_view, 7> top_keys{"version", "services", "networks", "volumes",
                                                   "configs", "secrets",  "name"};
constexpr std::array<RefusedKey, 2> refused_top_keys{{
    {"include", "is ignored by this podman-compose; write the services into one file"},
    {"models", "is ignored by this podman-compose; remove it"},
}};

// podman-compose's own keys, honoured from 1.2 on: flags of podman, mappings of users, a root file system.
bool is_podman_extension(std::string_view key) {
    return key == "x-podman" || key.starts_with("x-podman.");
}

void judge_key(const std::string& service, const std::string& key, std::span<const std::string_view> allowed,
               std::span<const RefusedKey> refused, Findings& findings) {
    if (is_podman_extension(key))
        return findings.unknown(service, quoted_value(key),
                                "would hand options to podman that nobody judged; remove it");
    // Underscores begin the keys that podman-compose itself adds to its model; no specification has such.
    if (key.starts_with("x-") || key.starts_with('_') ||
        std::find(allowed.begin(), allowed.end(), key) != allowed.end())
        return;
    const auto row =
        std::find_if(refused.begin(), refused.end(), [&](const RefusedKey& one) { return one.key == key; });
    if (row != refused.end())
        findings.refuse(service, key, std::string(row->problem));
    else
        findings.unknown(service, quoted_value(key),
                         "is not a key that pgod knows; begin your own keys with \"x-\"");
}

bool is_condition(std::string_view condition) {
    return condition.empty() || condition == "service_started" || condition == "service_healthy" ||
           condition == "service_completed_successfully";
}

// Services that take part in a cycle of depends_on, or wait for one: what is left when nothing more can
// start.
std::set<std::string> never_startable(const Model& model) {
    std::map<std::string_view, std::size_t> waits_for;
    std::map<std::string_view, std::vector<std::string_view>> waited_by;
    std::vector<std::string_view> ready;
    for (const auto& [name, service] : model.services) {
        std::size_t count = 0;
        for (const auto& [dependency, condition] : service.depends_on) {
            if (!model.services.contains(dependency))
                continue;
            waited_by[dependency].push_back(name);
            ++count;
        }
        waits_for[name] = count;
        if (count == 0)
            ready.push_back(name);
    }
    while (!ready.empty()) {
        const auto name = ready.back();
        ready.pop_back();
        waits_for.erase(name);
        for (const auto waiting : waited_by[name])
            if (--waits_for[waiting] == 0)
                ready.push_back(waiting);
    }
    std::set<std::string> left;
    for (const auto& [name, count] : waits_for)
        left.emplace(name);
    return left;
}

void judge_dependencies(const Model& model, Findings& findings) {
    for (const auto& [name, service] : model.services) {
        for (const auto& [dependency, condition] : service.depends_on) {
            if (!model.services.contains(dependency))
                findings.add(name, "depends_on", quoted_value(dependency) + " is not a service of this file");
            if (!is_condition(condition))
                findings.add(name, "depends_on", "condition " + quoted_value(condition) + " is unknown");
        }
    }
    for (const auto& name : never_startable(model))
        findings.add(name, "depends_on", "waits for itself, directly or through others");
}

// podman-compose keeps one of two services that share a container_name, and says nothing.
void judge_lost_services(const Plan& plan, Findings& findings) {
    std::set<std::string_view> planned;
    for (const auto& container : plan.containers)
        planned.insert(container.service);
    for (const auto& [name, service] : plan.model.services) {
        const bool may_have_none =
            std::any_of(service.keys.begin(), service.keys.end(),
                        [](const std::string& key) { return key == "deploy" || key == "scale"; });
        if (!planned.contains(name) && !may_have_none)
            findings.add(name, "container_name",
                         "podman-compose makes no container of this service; another one "
                         "has the same container_name");
    }
}

} // namespace

void judge_model(const Plan& plan, Findings& findings) {
    for (const auto& key : plan.model.keys)
        judge_key({}, key, top_keys, refused_top_keys, findings);
    for (const auto& [name, service] : plan.model.services)
        for (const auto& key : service.keys)
            judge_key(name, key, service_keys, refused_service_keys, findings);
    judge_settings(plan.model, findings);
    judge_dependencies(plan.model, findings);
    judge_lost_services(plan, findings);
}

} // namespace pgod

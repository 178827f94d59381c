#include "core/policy.hpp"

#include "base/text.hpp"
#include "core/allowance.hpp"
#include "core/findings.hpp"
#include "core/image_name.hpp"
#include "core/mount.hpp"
#include "core/nested_binds.hpp"
#include "core/object_names.hpp"
#include "core/paths.hpp"
#include "core/places.hpp"
#include "core/plan_networks.hpp"
#include "core/plan_shapes.hpp"
#include "core/policy_allow.hpp"
#include "core/policy_model.hpp"
#include "core/policy_ports.hpp"
#include "core/policy_targets.hpp"
#include "core/subnet.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace pgod {

namespace {

// Handing these out would hand out the host; no message suggests it.
bool may_be_suggested(std::string_view directory, const PolicyGrants& grants) {
    constexpr auto never =
        std::to_array<std::string_view>({"/dev", "/etc", "/proc", "/root", "/run", "/sys", "/var/run",
                                         "/boot", "/home", "/var/lib/pgod", "/var/lib/containers"});
    for (const std::string_view kept : {std::string_view(grants.state), std::string_view(grants.home)})
        if (!kept.empty() && (is_at_or_beneath(directory, kept) || is_at_or_beneath(kept, directory)))
            return false;
    return directory != "/" && std::none_of(never.begin(), never.end(), [directory](std::string_view one) {
               return is_at_or_beneath(directory, one);
           });
}

class Judge {
  public:
    Judge(const Plan& plan, const PolicyGrants& grants, const WrittenNames& written)
        : plan_(plan)
        , grants_(grants)
        , written_(written)
        , prefix_(plan.project + "_") {}

    std::vector<Violation> judge() && {
        judge_model(plan_, findings_);
        for (const auto& build : plan_.builds)
            judge_build(build);
        judge_twice(plan_.volumes, "volumes");
        judge_twice(plan_.networks, "networks");
        for (const auto& volume : plan_.volumes)
            judge_own("volume", volume.name, grants_.volumes, written_.volumes);
        for (const auto& network : plan_.networks) {
            judge_own("network", network.name, grants_.networks, written_.networks);
            judge_subnets(network);
        }
        std::set<std::string_view> names;
        for (const auto& container : plan_.containers) {
            if (!names.insert(container.name).second)
                findings_.add(container.service, "container_name",
                              quoted_value(container.name) + " is used twice");
            judge_name(container);
            judge_container(container);
            judge_allowed(container, grants_.allow, findings_);
            judge_targets(container, findings_);
            judge_shared_memory(container);
        }
        judge_nested_binds(plan_, grants_, findings_);
        judge_ports(plan_, grants_.ports, findings_);
        return std::move(findings_).take();
    }

  private:
    bool in_stage(std::string_view path) const {
        return !grants_.stage.empty() && is_at_or_beneath(path, grants_.stage);
    }

    static bool contains(const std::vector<std::string>& all, std::string_view name) {
        return std::find(all.begin(), all.end(), name) != all.end();
    }

    // "d", which podman calls "shop_data",
    static std::string named(const std::string& name, const std::map<std::string, std::string>& written) {
        const auto found = written.find(name);
        return found == written.end()
                   ? quoted_value(name)
                   : quoted_value(found->second) + ", which podman calls " + quoted_value(name) + ",";
    }

    // A volume or a network that another service, or nobody, owns.
    void refuse_foreign(const std::string& service, const std::string& kind, const std::string& name,
                        const std::map<std::string, std::string>& written) {
        findings_.add(service, kind + "s",
                      named(name, written) + " is not a " + kind +
                          " of this service; without \"external\" and \"name\" it is one",
                      is_object_name(name) ? kind + "s = [" + quoted_value(name) + "]" : "");
    }

    void judge_own(const std::string& kind, const std::string& name, const std::vector<std::string>& granted,
                   const std::map<std::string, std::string>& written) {
        const bool own = name.starts_with(prefix_) && name.size() > prefix_.size();
        if (!is_object_name(name) || (!own && !contains(granted, name)))
            refuse_foreign({}, kind, name, written);
    }

    // Volumes and networks never take such a name: judge_own() wants them to begin with this service's.
    void judge_name(const PlannedContainer& container) {
        const auto owner = owner_by_name(container.name);
        if (std::find(grants_.neighbours.begin(), grants_.neighbours.end(), owner) !=
            grants_.neighbours.end())
            findings_.add(container.service, "container_name",
                          quoted_value(container.name) + " is a name for containers of the service " +
                              quoted_value(owner) + "; choose one that does not begin with " +
                              quoted_value(std::string(owner) + "_"));
    }

    // podman makes the first one and refuses the second; two that are alike are one in the plan.
    template<typename Planned>
    void judge_twice(const std::vector<Planned>& all, const char* setting) {
        std::map<std::string_view, const Planned*> first;
        for (const auto& one : all)
            if (*first.emplace(one.name, &one).first->second != one)
                findings_.add({}, setting,
                              quoted_value(one.name) + " is the name of two of them, which have different "
                                                       "settings; give one of them another name");
    }

    void judge_shared_memory(const PlannedContainer& container) {
        const auto has = [&container](std::string_view flag, std::string_view value) {
            return std::any_of(container.options.begin(), container.options.end(),
                               [&](const PlanOption& option) {
                                   return option.flag == flag && (value.empty() || option.value == value);
                               });
        };
        if (has("--ipc", "none") && has("--shm-size", {}))
            findings_.add(container.service, "shm_size",
                          "stands beside \"ipc: none\", with which there is no shared memory; remove one of "
                          "the two");
    }

    void judge_build(const PlannedBuild& build) {
        std::string service;
        for (const auto& container : plan_.containers)
            if (container.image == build.image)
                service = container.service;
        if (!in_stage(build.context))
            findings_.refuse(service, "build",
                             "context " + quoted_value(build.context) + " is outside of the repository");
        if (!in_stage(build.file))
            findings_.refuse(service, "build",
                             "dockerfile " + quoted_value(build.file) + " is outside of the repository");
    }

    void judge_container(const PlannedContainer& container) {
        // podman reads a short name as one of localhost/ first.
        if (is_kept_by_pgod(container.image))
            findings_.add(container.service, "image",
                          quoted_value(container.image) +
                              " is a name that pgod keeps for itself; write the registry "
                              "before it, or choose another name");
        // podman takes hexadecimal digits for the beginning of an id: of any image of this user.
        if (is_image_id(container.image) && !has_build(container.image))
            findings_.add(
                container.service, "image",
                quoted_value(container.image) +
                    " could be the id of an image of another service; write the name of an image with "
                    "its tag, such as \"name:latest\"");
        if (!is_compose_name(container.service) || !plan_.model.services.contains(container.service))
            findings_.add(container.service, "services", "podman-compose's model does not have this service");
        for (const auto& option : container.options) {
            findings_.about(item_of(option.flag, option.value));
            if (option.flag == "--env-file" && !in_stage(option.value))
                findings_.add(container.service, "env_file",
                              quoted_value(option.value) + " is outside of the repository");
            else if (option.flag == "--network")
                judge_networks(container, option);
            else if (const auto mount = mount_of(option))
                judge_mount(container, *mount);
        }
        findings_.about({});
    }

    bool has_build(std::string_view image) const {
        return std::any_of(plan_.builds.begin(), plan_.builds.end(),
                           [image](const PlannedBuild& build) { return build.image == image; });
    }

    template<typename Planned>
    static bool has(const std::vector<Planned>& all, std::string_view name) {
        return std::any_of(all.begin(), all.end(), [name](const Planned& one) { return one.name == name; });
    }

    // podman finds out that two overlap only when it makes the second one.
    void judge_subnets(const PlannedNetwork& network) {
        for (const auto& option : network.options) {
            const auto subnet = option.flag == "--subnet" ? parse_subnet(option.value) : std::nullopt;
            if (!subnet)
                continue;
            const auto problem = problem_of_subnet(*subnet);
            if (!problem.empty())
                findings_.add({}, "networks", quoted_value(option.value) + " " + std::string(problem));
            for (const auto& [other, name] : subnets_)
                if (overlap(*subnet, other))
                    findings_.add({}, "networks",
                                  quoted_value(option.value) + " of " + network.name + " overlaps that of " +
                                      std::string(name) + "; choose another one");
            subnets_.emplace_back(*subnet, network.name);
        }
    }

    // The other one runs before it, so that podman cannot take the name for the id of a foreign container.
    void judge_shared(const PlannedContainer& container, std::string_view name) {
        const auto other = std::find_if(plan_.containers.begin(), plan_.containers.end(),
                                        [name](const PlannedContainer& one) { return one.name == name; });
        const auto service = plan_.model.services.find(container.service);
        if (other == plan_.containers.end() || service == plan_.model.services.end() ||
            !service->second.depends_on.contains(other->service) || other->service == container.service)
            findings_.add(container.service, "network_mode",
                          quoted_value(name) + " is not a container of another service of this file");
    }

    void judge_networks(const PlannedContainer& container, const PlanOption& option) {
        if (const auto shared = container_shared_by(option))
            judge_shared(container, *shared);
        for (const auto name : network_names(option))
            if (!has(plan_.networks, name) &&
                !contains(grants_.networks, name)) // judge_own() looked at those
                refuse_foreign(container.service, "network", std::string(name), written_.networks);
    }

    static bool is_engine_socket(std::string_view path) {
        constexpr auto names = std::to_array<std::string_view>(
            {"docker.sock", "podman.sock", "containerd.sock", "buildkitd.sock", "crio.sock"});
        return std::find(names.begin(), names.end(), path.substr(path.rfind('/') + 1)) != names.end();
    }

    // "./link", which leads to "/srv/x",
    std::string led(const std::string& source) const {
        const auto found = written_.binds.find(source);
        return found == written_.binds.end()
                   ? quoted_value(source)
                   : quoted_value(found->second) + ", which leads to " + quoted_value(source) + ",";
    }

    void judge_mount(const PlannedContainer& container, const Mount& mount) {
        if (mount.kind == MountKind::volume && !has(plan_.volumes, mount.source) &&
            !contains(grants_.volumes, mount.source))
            refuse_foreign(container.service, "volume", mount.source, written_.volumes);
        if (mount.kind != MountKind::bind || in_stage(mount.source) ||
            (is_path_of_time(mount.source) && is_read_only(mount)))
            return;
        if (is_engine_socket(mount.source))
            return findings_.add(container.service, "volumes",
                                 led(mount.source) + " is a socket of podman or docker: a container that has "
                                                     "it can do all that its user can; nothing permits this");
        const bool granted =
            std::any_of(grants_.volumes.begin(), grants_.volumes.end(), [&](const std::string& directory) {
                return is_at_or_beneath(mount.source, directory);
            });
        if (granted)
            return;
        const bool suggested = may_be_suggested(mount.source, grants_);
        Violation refused{container.service, "volumes",
                          led(mount.source) + " is outside of the repository" +
                              (grants_.volumes.empty() ? "" : " and of the directories that are granted"),
                          suggested ? "volumes = [" + quoted_value(mount.source) + "]" : ""};
        refused.advice = suggested
                             ? ""
                             : "it should never be granted, so use a named volume or a directory of its "
                               "own such as /srv/NAME";
        refused.danger = suggested ? Danger::files : Danger::host;
        findings_.keep(std::move(refused));
    }

    const Plan& plan_;
    const PolicyGrants& grants_;
    const WrittenNames& written_;
    std::string prefix_;
    std::vector<std::pair<AddressBlock, std::string_view>> subnets_;
    Findings findings_;
};

} // namespace

std::vector<Violation> judge(const Plan& plan, const PolicyGrants& grants, const WrittenNames& written) {
    return Judge(plan, grants, written).judge();
}

} // namespace pgod

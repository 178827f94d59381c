#include "compose/switch.hpp"

#include "base/text.hpp"
#include "compose/arguments.hpp"
#include "compose/conditions.hpp"
#include "compose/crash_point.hpp"
#include "compose/foreign_objects.hpp"
#include "compose/host_gateway.hpp"
#include "compose/host_limits.hpp"
#include "compose/kept_values.hpp"
#include "compose/leftover.hpp"
#include "compose/memory_files.hpp"
#include "compose/need.hpp"
#include "compose/nested_mounts.hpp"
#include "compose/rootless_network.hpp"
#include "compose/start_order.hpp"
#include "compose/stopping.hpp"
#include "compose/storage_container.hpp"
#include "compose/subnets.hpp"
#include "core/mount.hpp"
#include "core/object_names.hpp"
#include "os/safe_path.hpp"
#include "os/secret_file.hpp"
#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto run_deadline = 120s;
constexpr std::size_t started_at_once = 4;

// Where every bind source and env file of the container is now; links were looked for a moment ago.
Result<std::map<std::string, std::string>> paths_of(const Work& work, const PlannedContainer& container,
                                                    const std::string& release) {
    const BindRoots roots = bind_roots(work);
    const Fd tree = TRY(work.directory.open_directory("tree"));
    const Fd files = TRY(work.directory.open_directory(release + "/files"));
    std::map<std::string, std::string> paths;
    for (const auto& option : container.options) {
        if (const auto bind = bind_of(option); bind && !is_copy(work, bind->source))
            paths[bind->source] = TRY_DOING(resolve_bind(bind->source, roots, tree.get(), IfMissing::make),
                                            fmt::format("{}: volumes", container.service));
        if (option.flag != "--env-file")
            continue;
        const auto path = path_beneath(option.value, roots.stage);
        if (!path || !os::open_beneath(files.get(), *path, O_RDONLY | O_NONBLOCK))
            return Error{Code::permanent, fmt::format("{}: env_file {} is not a file of the repository",
                                                      container.service, escaped(option.value))};
        paths[option.value] = work.directory.path_of(release + "/files/" + *path);
    }
    return paths;
}

Result<RecordedContainer> run_container(const Work& work, const Record& record, std::size_t number,
                                        const std::string& release, const SecretValues& values) {
    const auto& planned = record.plan.containers[number];
    const auto image = record.images.find(planned.image);
    if (image == record.images.end())
        return Error{Code::internal, fmt::format("{}: its image was not resolved", planned.service)};
    const auto container =
        TRY(with_nested_binds(work, record, without_missing(planned), release, image->second));
    const RunSettings settings{work.job.service,
                               std::to_string(record.deployment),
                               record.commit,
                               image->second,
                               Podman::env_file_path,
                               TRY(paths_of(work, container, release)),
                               values.variables,
                               TRY(write_memory_files(work, container, image->second, values)),
                               limits_of_this_host(os::current_user()),
                               asks_for_host_gateway(container.options) ? TRY(host_gateway(work.podman))
                                                                        : std::string()};
    const RunCall run = run_call(container, settings);
    const Fd env_file = TRY(os::sealed_file(run.environment));
    Podman::Call call;
    call.arguments = run.arguments;
    call.env_file = env_file.get();
    call.deadline = run_deadline;
    const std::string doing = fmt::format("{}: start", container.service);
    auto ran = work.podman.must(call, doing);
    if (!ran && remove_storage_container(work.podman, container.name))
        ran = work.podman.must(call, doing);
    const std::string output = TRY(std::move(ran));
    crash_point("container-run");
    return RecordedContainer{container.name, std::string(trimmed(output)), false, record.deployment};
}

// What the admin grants by its name belongs to nobody: it gets no label of the service, which would remove
// it.
bool is_own(const Work& work, const std::string& name) {
    return owner_by_name(name) == work.job.service;
}

bool names_a_project(const std::string& label) {
    return label.starts_with("io.podman.compose.") || label.starts_with("com.docker.compose.");
}

Status make(const Work& work, Argv arguments, const std::vector<std::string>& labels, const std::string& name,
            std::string_view doing) {
    Podman::Call call;
    call.arguments = std::move(arguments);
    for (const auto& label : labels)
        if (is_own(work, name) || !names_a_project(label))
            call.arguments.push_back("--label=" + label);
    if (is_own(work, name))
        call.arguments.push_back("--label=pgod.service=" + work.job.service);
    call.arguments.push_back(name);
    TRY(work.podman.must(call, fmt::format("{} {}", doing, name)));
    return ok();
}

Status make_network(const Work& work, const PlannedNetwork& network) {
    // Isolated networks do not reach each other by address. A network that an older pgod made, or a user
    // without this option, is not isolated.
    Argv arguments{"network", "create", "--opt=isolate=true"};
    if (network.internal)
        arguments.push_back("--internal");
    for (const auto& option : network.options)
        arguments.push_back(podman_argument(option));
    auto labels = network.labels;
    if (!network.options.empty())
        labels.push_back("pgod.options=" + options_text(network));
    return make(work, std::move(arguments), labels, network.name, "make network");
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_started(const std::vector<RecordedContainer>& started, const PlannedContainer& container) {
    return std::any_of(started.begin(), started.end(),
                       [&container](const RecordedContainer& one) { return one.name == container.name; });
}

} // namespace

BindRoots bind_roots(const Work& work) {
    return {work.directory.path_of("stage"), work.directory.path_of("tree"), granted_volumes(work)};
}

std::string state_of(const Work& work) {
    const std::string& own = work.directory.path(); // STATE/services/NAME
    return own.substr(0, own.rfind("/services/"));
}

std::vector<std::string> granted_volumes(const Work& work) {
    return with_targets(work.job.volumes, state_of(work));
}

Status remove_containers(const Work& work, std::span<const Container> containers,
                         std::chrono::seconds at_least) {
    if (containers.empty())
        return ok();
    Podman::Call call;
    StopTimes times = stop_times(work.podman, containers);
    call.arguments = {"rm", "--force", "--ignore"};
    cut_short(call.arguments, times);
    give_at_least(call.arguments, times, at_least);
    for (const auto& container : containers)
        call.arguments.push_back(container.id);
    // Anybody can label containers: a thousand of them must not outlast the job.
    const auto of_job =
        std::chrono::ceil<std::chrono::seconds>(work.job.deadline - std::chrono::steady_clock::now());
    call.deadline = std::min(removal_deadline(times), std::max(of_job, longest_removal));
    // podman does not remove a container whose network another one shares, before that one is gone.
    for (std::size_t left = max_containers;; --left) {
        const auto removed = work.podman.must(call, "stop and remove containers", Code::transient);
        if (removed)
            break;
        if (left == 0 || removed.error().message.find("has dependent containers") == std::string::npos)
            return removed.error();
    }
    for (const auto& container : containers)
        remove_memory_files(work, container.name);
    return ok();
}

void check_names(const Work& work, const Plan& plan, std::span<const Container> seen, Findings& findings) {
    for (const auto& planned : plan.containers) {
        const Container* holder = find_container(seen, planned.name);
        if (holder == nullptr || holder->owner == work.job.service)
            continue;
        Violation taken{planned.service,
                        "container_name",
                        quoted_value(planned.name) + " is taken by a container that is not of this service",
                        {}};
        taken.advice = fmt::format("rename it or remove it with: podman rm --force {}", planned.name);
        findings.keep(std::move(taken));
    }
}

Status check_addresses(const Work& work, const Plan& plan, FoundObjects& objects, Findings& findings) {
    const bool asks = std::any_of(plan.networks.begin(), plan.networks.end(),
                                  [](const PlannedNetwork& network) { return !network.options.empty(); });
    if (asks) // podman is asked only then
        TRY(Surroundings::look(work, plan, objects, findings));
    return ok();
}

Result<Surroundings> Surroundings::look(const Work& work, const Plan& plan) {
    FoundObjects objects(work.podman);
    Findings findings;
    auto around = TRY(look(work, plan, objects, findings));
    if (const auto found = std::move(findings).take(); !found.empty())
        return Error{Code::permanent, summary_of(found)};
    return around;
}

Result<Surroundings> Surroundings::look(const Work& work, const Plan& plan, FoundObjects& objects,
                                        Findings& findings) {
    Surroundings around;
    const auto& networks = *TRY(objects.networks()); // also for a plan of none: earlier ones are obsolete
    for (const auto& network : plan.networks) {
        const auto found = networks.find(network.name);
        if (found == networks.end()) {
            around.missing_networks_.push_back(network.name);
            continue;
        }
        if (!is_own(work, network.name))
            continue; // granted, and others may use it
        if (is_foreign(found->second, work.job.service, plan))
            refuse_foreign_network(network.name, findings);
        else if (found->second.internal != network.internal || found->second.options != options_text(network))
            around.changed_networks_.push_back(network.name);
    }
    for (const auto& [name, network] : networks)
        if (network.owner == work.job.service &&
            std::none_of(plan.networks.begin(), plan.networks.end(),
                         [&name = name](const PlannedNetwork& planned) { return planned.name == name; }))
            around.obsolete_networks_.push_back(name);
    around.find_room(plan, networks, findings);
    for (const auto& volume : plan.volumes)
        if (!TRY(objects.volumes())->contains(volume.name))
            around.missing_volumes_.push_back(volume.name);
    return around;
}

// A network that comes in the place of an obsolete one waits until that is gone, as a changed one does.
void Surroundings::find_room(const Plan& plan, const std::map<std::string, FoundNetwork>& found,
                             Findings& findings) {
    auto obsolete = obsolete_networks_;
    obsolete.insert(obsolete.end(), changed_networks_.begin(), changed_networks_.end());
    for (const auto& network : plan.networks) {
        const bool is_missing = contains(missing_networks_, network.name);
        if (!is_missing && !contains(changed_networks_, network.name))
            continue;
        const auto in_the_way = networks_in_the_way(network, found, obsolete, findings);
        if (in_the_way.empty() || !is_missing)
            continue;
        std::erase(missing_networks_, network.name);
        changed_networks_.push_back(network.name);
    }
}

std::vector<std::string> networks_without_dns(const Work& work, const Plan& plan) {
    std::vector<std::string> found;
    const auto is_shared = [&plan](const std::string& name) {
        return std::count_if(plan.containers.begin(), plan.containers.end(),
                             [&name](const PlannedContainer& one) { return uses_network(one, name); }) > 1;
    };
    if (plan.containers.size() < 2)
        return found;
    const auto networks = work.podman.networks();
    for (const auto& planned : plan.networks)
        if (networks && is_shared(planned.name))
            if (const auto network = networks->find(planned.name);
                network != networks->end() && !network->second.dns_enabled)
                found.push_back(planned.name);
    return found;
}

Status Surroundings::make_missing(const Work& work, const Plan& plan) const {
    for (const auto& network : plan.networks)
        if (contains(missing_networks_, network.name))
            TRY(make_network(work, network));
    for (const auto& volume : plan.volumes)
        if (contains(missing_volumes_, volume.name))
            TRY(make(work, {"volume", "create"}, volume.labels, volume.name, "make volume"));
    return ok();
}

Status Surroundings::replace_networks(const Work& work, const Plan& plan) const {
    if (changed_networks_.empty())
        return ok();
    remove_obsolete(work); // one of them may have the addresses of another one
    const auto found = TRY(work.podman.networks());
    for (const auto& name : changed_networks_) {
        Podman::Call call;
        call.arguments = {"network", "rm", name};
        if (found.contains(name))
            TRY(work.podman.must(call, "make network " + name + " anew"));
    }
    for (const auto& network : plan.networks)
        if (contains(changed_networks_, network.name))
            TRY(make_network(work, network));
    return ok();
}

void Surroundings::remove_obsolete(const Work& work) const {
    Podman::Call call;
    call.arguments = {"network", "rm"};
    call.arguments.insert(call.arguments.end(), obsolete_networks_.begin(), obsolete_networks_.end());
    if (!obsolete_networks_.empty())
        (void)work.podman.call(call);
}

Status run_containers(const Work& work, const Record& record, const std::string& release,
                      std::vector<RecordedContainer>& started) {
    TRY(mend_rootless_network(work.podman));
    const SecretValues values = values_for(work, release);
    for (auto& level : start_levels(record.plan)) {
        std::erase_if(level, [&](std::size_t i) { return has_started(started, record.plan.containers[i]); });
        TRY(wait_for_dependencies(work, record, level));
        std::vector<std::optional<Result<RecordedContainer>>> results(level.size());
        for (std::size_t begin = 0; begin < level.size(); begin += started_at_once) {
            const std::size_t end = std::min(begin + started_at_once, level.size());
            std::vector<std::jthread> threads;
            for (std::size_t i = begin; i < end; ++i)
                threads.emplace_back(
                    [&, i] { results[i] = run_container(work, record, level[i], release, values); });
        }
        for (const auto& result : results)
            if (*result)
                started.push_back(**result);
        for (auto& result : results)
            if (!*result)
                return (*result).error();
    }
    return ok();
}

} // namespace pgod::compose

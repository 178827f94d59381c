#include "compose/planning.hpp"

#include "base/text.hpp"
#include "compose/memory_files.hpp"
#include "compose/need.hpp"
#include "compose/shared_binds.hpp"
#include "compose/translation.hpp"
#include "core/allowance.hpp"
#include "core/plan_images.hpp"
#include "core/policy.hpp"
#include "core/url_claims.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>
#include <set>

namespace pgod::compose {

namespace {

constexpr std::size_t max_env_file = 1 << 20; // bytes

// The translator settled what links of the commit mean; one that is left leads out of it.
Status check_builds(const Plan& plan, int stage, const std::string& stage_path) {
    for (const auto& build : plan.builds)
        for (const auto& path : {build.context, build.file}) {
            const auto relative = path_beneath(path, stage_path);
            if (!relative || (!relative->empty() && !os::open_beneath(stage, *relative, O_PATH)))
                return Error{Code::permanent,
                             fmt::format("build: {} is not in the repository", escaped(path))};
        }
    return ok();
}

Status check_env_files(const Plan& plan, int stage, const std::string& stage_path) {
    for (const auto& container : plan.containers)
        for (const auto& option : container.options) {
            if (option.flag != "--env-file")
                continue;
            const auto relative = path_beneath(option.value, stage_path);
            const auto text = os::read_file_beneath(stage, relative.value_or(""), max_env_file);
            if (!text)
                return Error{Code::permanent,
                             fmt::format("{}: env_file: {}", container.service, text.error().message)};
        }
    return ok();
}

// Networks that are not of the service's own; the admin granted them, but podman may not have them.
Status check_foreign_networks(const Work& work, const Plan& plan) {
    std::set<std::string, std::less<>> own;
    for (const auto& network : plan.networks)
        own.insert(network.name);
    std::optional<std::map<std::string, FoundNetwork>> found; // podman is asked only when there is one
    for (const auto& container : plan.containers)
        for (const auto& option : container.options) {
            if (option.flag != "--network" || is_network_mode(option.value))
                continue;
            for (const auto name : split(option.value, ',')) {
                if (own.contains(name))
                    continue;
                if (!found)
                    found = TRY(work.podman.networks());
                if (!found->contains(std::string(name)))
                    return Error{Code::transient,
                                 fmt::format("service \"{}\": networks: podman has no network {} "
                                             "for this user; make it with podman network create",
                                             container.service, name)};
            }
        }
    return ok();
}

Status name_images(const Work& work, Plan& plan) {
    std::set<std::string> here;
    for (const auto& [name, image] : TRY(work.podman.images(images_to_look_for(plan))))
        here.insert(name);
    complete_images(plan, here);
    return ok();
}

PolicyGrants grants_of(const Work& work) {
    const std::string& own = work.directory.path(); // STATE/services/NAME
    return {work.directory.path_of("stage"),
            work.job.ports,
            work.job.volumes,
            work.job.networks,
            work.job.allow,
            own.substr(0, own.rfind("/services/")),
            os::current_user().home,
            work.job.neighbours};
}

} // namespace

Result<JudgedPlan> plan_commit(const Work& work) {
    work.progress("plan");
    const Fd stage = TRY_DOING(work.directory.open_directory("stage"), "the commit was not exported");
    TranslationRequest request;
    request.stage = work.directory.path_of("stage");
    request.compose_file =
        TRY(find_compose_file(stage.get(), work.job.compose_file ? &*work.job.compose_file : nullptr));
    request.project = work.job.service;
    request.configured = work.job.compose_file.has_value();
    request.environment = work.job.environment;
    request.admin_environment = work.job.env;
    for (const auto& [name, secret] : work.job.secrets)
        request.admin_environment.push_back(name + "=" + placeholder_of(name));
    for (const auto& [name, secret] : work.job.secret_files)
        request.admin_secrets.push_back(name);
    Translation translation =
        TRY(translate(request, [&work](const std::string& problem) { work.output.say(problem); }));
    auto [plan, violations] = parse_plan(translation.calls, work.job.service, std::move(translation.model));
    plan.files = std::move(translation.files);
    TRY(name_images(work, plan));
    for (const auto& note : translation.notes)
        work.output.say(escaped(note));
    for (auto& violation : judge(plan, grants_of(work)))
        violations.push_back(std::move(violation));
    for (auto& violation : judge_nested_keys(translation.nested))
        violations.push_back(std::move(violation));
    Findings of_urls;
    judge_urls(plan.model, {work.job.domains, work.job.ports, work.job.taken}, of_urls);
    for (auto& violation : std::move(of_urls).take())
        violations.push_back(std::move(violation));
    for (std::size_t i = 1; i < violations.size(); ++i)
        work.output.say(describe(violations[i]));
    if (!violations.empty()) // the caller says this one, with how the job ended
        return Error{Code::permanent, describe(violations.front())};
    TRY(check_secrets(plan, work.job.secrets));
    TRY(check_memory_files(plan, work.job));
    TRY(check_builds(plan, stage.get(), request.stage));
    TRY(check_env_files(plan, stage.get(), request.stage));
    TRY(check_foreign_networks(work, plan));
    TRY(check_shared_binds(work, plan));
    return JudgedPlan{std::move(plan), request.compose_file};
}

Status judge_again(const Work& work, const Plan& plan) {
    if (const auto violations = judge(plan, grants_of(work)); !violations.empty())
        return Error{Code::permanent, describe(violations.front())};
    TRY(check_secrets(plan, work.job.secrets));
    TRY(check_memory_files(plan, work.job));
    return check_shared_binds(work, plan);
}

} // namespace pgod::compose

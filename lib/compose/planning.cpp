#include "compose/planning.hpp"

#include "base/text.hpp"
#include "compose/host_gateway.hpp"
#include "compose/host_limits.hpp"
#include "compose/kept_values.hpp"
#include "compose/memory_files.hpp"
#include "compose/mount_points.hpp"
#include "compose/need.hpp"
#include "compose/nested_mounts.hpp"
#include "compose/record.hpp"
#include "compose/release.hpp"
#include "compose/shared_binds.hpp"
#include "compose/switch.hpp"
#include "compose/translation.hpp"
#include "core/allowance.hpp"
#include "core/findings.hpp"
#include "core/plan_images.hpp"
#include "core/policy.hpp"
#include "core/url_claims.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace pgod::compose {

namespace {

constexpr std::size_t max_env_file = 1 << 20; // bytes

// The translator settled what links of the commit mean; one that is left leads out of it.
void check_builds(const Plan& plan, int stage, const std::string& stage_path, Findings& findings) {
    for (const auto& build : plan.builds)
        for (const auto& path : {build.context, build.file}) {
            const auto relative = path_beneath(path, stage_path);
            if (relative && (relative->empty() || os::open_beneath(stage, *relative, O_PATH)))
                continue;
            const auto with = std::find_if(plan.containers.begin(), plan.containers.end(),
                                           [&build](const auto& one) { return one.image == build.image; });
            findings.add(with == plan.containers.end() ? "" : with->service, "build",
                         quoted_value(path) + " is not in the repository");
        }
}

void check_env_files(const Plan& plan, int stage, const std::string& stage_path, Findings& findings) {
    for (const auto& container : plan.containers)
        for (const auto& option : container.options) {
            if (option.flag != "--env-file")
                continue;
            const auto relative = path_beneath(option.value, stage_path);
            const auto text = os::read_file_beneath(stage, relative.value_or(""), max_env_file);
            if (!text)
                findings.add(container.service, "env_file", text.error().message);
        }
}

// Returns which of those that this host may have it has.
Result<std::set<std::string>> name_images(const Work& work, Plan& plan) {
    std::set<std::string> here;
    for (const auto& [name, image] : TRY(work.podman.images(images_to_look_for(plan))))
        here.insert(name);
    complete_images(plan, here);
    return here;
}

PolicyGrants grants_of(const Work& work, const Plan& plan, const std::string& files) {
    return {work.directory.path_of("stage"),
            work.job.ports,
            granted_volumes(work),
            work.job.networks,
            work.job.allow,
            state_of(work),
            os::current_user().home,
            work.job.neighbours,
            nested_files(work, plan, files)};
}

TranslationRequest request_of(const Work& work, int stage) {
    TranslationRequest request;
    request.stage = work.directory.path_of("stage");
    request.compose_file = find_compose_file(stage, work.job.compose_files);
    request.project = work.job.service;
    request.compose_files = work.job.compose_files;
    request.profiles = work.job.profiles;
    request.environment = work.job.environment;
    request.admin_environment = work.job.env;
    for (const auto& [name, secret] : work.job.secrets)
        request.admin_environment.push_back(name + "=" + placeholder_of(name));
    for (const auto& [name, secret] : work.job.secret_files)
        request.admin_secrets.push_back(name);
    return request;
}

void add(std::vector<Violation> more, std::vector<Violation>& violations) {
    for (auto& one : more)
        violations.push_back(std::move(one));
}

// Every check of a plan. Each adds what it finds, so that the team reads everything at once.
Result<std::vector<Violation>> violations_of(const Work& work, const Plan& plan, const std::string& files,
                                             const SecretValues& values, const WrittenNames& written = {}) {
    std::vector<Violation> violations = judge(plan, grants_of(work, plan, files), written);
    Findings findings;
    check_secrets(plan, values.variables, findings);
    check_memory_files(plan, values, findings);
    add(std::move(findings).take(), violations);
    add(TRY(check_shared_binds(work, plan)), violations);
    return violations;
}

// ...and those that a commit needs once, when it is new.
Result<std::vector<Violation>> violations_of_commit(const Work& work, const Plan& plan,
                                                    const std::set<std::string>& here, int stage,
                                                    const WrittenNames& written) {
    std::vector<Violation> violations =
        TRY(violations_of(work, plan, "stage", given_values(work.job), written));
    Findings findings;
    judge_urls(plan.model, {work.job.domains, work.job.ports, work.job.taken}, findings);
    check_builds(plan, stage, work.directory.path_of("stage"), findings);
    check_env_files(plan, stage, work.directory.path_of("stage"), findings);
    const auto tree = work.directory.open_directory("tree");
    const auto tracked = work.directory.open_directory(std::string(running_release) + "/files");
    check_mount_points(plan, stage, work.directory.path_of("stage"), tree ? tree->get() : -1,
                       tracked ? tracked->get() : -1, findings);
    check_limits(plan, limits_of_this_host(os::current_user()), findings);
    TRY(check_host_gateway(work.podman, plan, findings));
    add(std::move(findings).take(), violations);
    if (violations.empty())
        TRY(check_local_images(plan, here));
    return violations;
}

// As many as the record keeps for `status`.
std::vector<std::string> bounded(std::vector<std::string> notes) {
    if (notes.size() > max_notes) {
        const std::size_t left = notes.size() - max_notes + 1;
        notes.resize(max_notes - 1);
        notes.push_back(fmt::format("and {} more notes, which the log has", left));
    }
    return notes;
}

// Paths of the stage as the repository has them.
void show_as_written(std::string& text, const std::string& stage) {
    for (auto at = text.find(stage); at != std::string::npos; at = text.find(stage, at + 1))
        text.replace(at, stage.size(), ".");
}

// The reader's reason and the policy's can be of one setting: the reader's has the place.
bool is_known(const std::vector<Violation>& reasons, const Violation& violation) {
    return std::any_of(reasons.begin(), reasons.end(), [&violation](const Violation& one) {
        return one.service == violation.service && one.setting == violation.setting;
    });
}

} // namespace

void say_all(const Work& work, std::span<const Violation> violations) {
    const auto lines = lines_of(violations);
    if (lines.size() > 1)
        for (const auto& line : lines)
            work.output.say(line);
}

Error refused(const Work& work, std::vector<Violation> violations, std::vector<Violation>* reasons) {
    say_all(work, violations);
    Error error{Code::permanent, summary_of(violations)};
    if (reasons != nullptr)
        *reasons = std::move(violations);
    return error;
}

Result<JudgedPlan> plan_commit(const Work& work, std::vector<Violation>* reasons) {
    work.progress("plan");
    const Fd stage = TRY_DOING(work.directory.open_directory("stage"), "the commit was not exported");
    const TranslationRequest request = request_of(work, stage.get());
    Translation translation = TRY(translate(request));
    for (const auto& note : translation.notes)
        work.output.say(note);
    std::vector<Violation> violations = std::move(translation.reasons);
    JudgedPlan judged{{}, request.compose_file, bounded(std::move(translation.notes))};
    if (translation.is_complete) {
        auto [plan, found] = parse_plan(translation.calls, work.job.service, std::move(translation.model));
        plan.files = std::move(translation.files);
        const auto here = TRY(name_images(work, plan));
        add(TRY(violations_of_commit(work, plan, here, stage.get(), translation.written)), found);
        std::erase_if(found, [&violations](const auto& one) { return is_known(violations, one); });
        locate(found, translation.places);
        add(std::move(found), violations);
        judged.plan = std::move(plan);
    }
    if (violations.empty()) {
        note_copies(work, judged.plan);
        return judged;
    }
    for (auto& violation : violations)
        for (auto* text : {&violation.problem, &violation.value})
            show_as_written(*text, request.stage);
    return refused(work, std::move(violations), reasons);
}

Status judge_again(const Work& work, const Plan& plan, const std::string& release) {
    auto violations = TRY(violations_of(work, plan, release + "/files", values_for(work, release)));
    return violations.empty() ? ok() : refused(work, std::move(violations), nullptr);
}

} // namespace pgod::compose

#include "compose/planning.hpp"

#include "base/text.hpp"
#include "compose/need.hpp"
#include "compose/recording.hpp"
#include "core/policy.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace pgod::compose {

namespace {

// The shim settled what links of the commit mean; one that is left leads out of it.
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

} // namespace

Result<JudgedPlan> plan_commit(const Work& work) {
    work.progress("plan");
    const Fd stage = TRY_DOING(work.directory.open_directory("stage"), "the commit was not exported");
    RecordingRequest request;
    request.stage = work.directory.path_of("stage");
    request.compose_file =
        TRY(find_compose_file(stage.get(), work.job.compose_file ? &*work.job.compose_file : nullptr));
    request.project = work.job.service;
    request.recorder = work.job.recorder;
    request.podman_version = TRY(work.podman.version());
    request.scratch_directory = work.directory.path();
    request.environment = work.job.environment;
    request.admin_environment = work.job.env;
    Recording recording = TRY(record_calls(request));
    auto [plan, violations] = parse_plan(recording.calls, work.job.service, std::move(recording.model));
    plan.files = std::move(recording.files);
    const PolicyGrants grants{request.stage, work.job.ports, work.job.volumes};
    for (auto& violation : judge(plan, grants))
        violations.push_back(std::move(violation));
    if (violations.empty())
        TRY(check_builds(plan, stage.get(), request.stage));
    if (violations.empty())
        return JudgedPlan{std::move(plan), request.compose_file};
    for (const auto& violation : violations)
        work.output.say(describe(violation));
    return Error{Code::permanent, describe(violations.front())};
}

} // namespace pgod::compose

#include "compose/deployment.hpp"

#include "compose/changeover.hpp"
#include "compose/crash_point.hpp"
#include "compose/deployment_log.hpp"
#include "compose/images.hpp"
#include "compose/leftover.hpp"
#include "compose/memory_files.hpp"
#include "compose/need.hpp"
#include "compose/observe.hpp"
#include "compose/planning.hpp"
#include "compose/release.hpp"
#include "core/exit_status.hpp"

#include <fmt/format.h>

namespace pgod::compose {

namespace {

class Deployment {
  public:
    explicit Deployment(const Work& work)
        : work_(work)
        , changeover_(work, read_record(work.directory, running_release)) {}

    JobResult run() {
        if (auto checked = check(); !checked)
            return changeover_.not_started(checked.error(), is_the_commits_fault(checked.error()));
        crash_point("planned");
        if (auto fetched = fetch(); !fetched)
            return changeover_.not_started(fetched.error(), false);
        crash_point("fetched");
        auto reason = why();
        if (auto open = pass_gate(work_); !open)
            return changeover_.not_started(open.error(), false);
        if (!reason)
            return changeover_.follow();
        work_.output.say(fmt::format("deploying {}: {}", brief_commit(), *reason));
        if (auto prepared = changeover_.prepare(); !prepared)
            return changeover_.not_started(prepared.error(), is_the_commits_fault(prepared.error()));
        crash_point("prepared");
        JobResult result = changeover_.switch_over();
        if (result.outcome == Outcome::ok)
            work_.output.say(fmt::format("deployed {}", brief_commit()));
        return result;
    }

  private:
    // Everything that can be found out while the old version runs and nothing is touched.
    Status check() {
        plan_ = TRY(plan_commit(work_));
        return changeover_.stage(
            {work_.job.commit, work_.job.deployment, plan_.compose_file, plan_.plan, {}, {}, {}, plan_.notes},
            "stage", FilesOf::stage);
    }

    Status fetch() {
        const auto& running = changeover_.running();
        const BuildHistory history{running ? &*running : nullptr, &changeover_.changed_files(), stage_};
        FetchedImages images = TRY(fetch_images(work_, plan_.plan, history));
        images_ = images.ids;
        secrets_ = TRY(changed_secrets(work_.podman, plan_.plan, work_.job.secrets));
        secrets_.merge(changed_memory_files(work_, plan_.plan, changeover_.seen()));
        changeover_.use(std::move(images));
        return ok();
    }

    std::optional<std::string> why() {
        const auto& running = changeover_.running();
        const NewVersion next{stage_, plan_.plan, images_, changeover_.changed_files(), secrets_};
        auto need = need_of(running ? &*running : nullptr, next, changeover_.seen());
        if (work_.job.force)
            return need ? need->reason : "it was asked for";
        if (!need)
            return std::nullopt;
        changeover_.leave_alone(std::move(need->untouched));
        return std::move(need->reason);
    }

    std::string brief_commit() const { return work_.job.commit.substr(0, 12); }

    static bool is_the_commits_fault(const Error& error) {
        return error.code == Code::permanent || error.code == Code::invalid;
    }

    const Work& work_;
    const std::string stage_ = work_.directory.path_of("stage");
    Changeover changeover_;
    JudgedPlan plan_;
    ImageIds images_;
    std::map<std::string, std::string> secrets_; // that changed
};

} // namespace

JobResult deploy(const Work& work) {
    return deploy_under_lock(work, [](const Work& locked) { return Deployment(locked).run(); });
}

JobResult deploy_under_lock(const Work& work, const std::function<JobResult(const Work&)>& run) {
    start_deployment_log(work);
    const auto lock = lock_service(work);
    JobResult result;
    if (lock) {
        crash_point("locked");
        result = run(work);
    } else {
        result = observe(work);
        result.outcome = Outcome::cancelled;
        result.exit_status = lock.error().code == Code::timeout ? exit_status::busy : exit_status::failed;
        result.error = lock.error();
    }
    if (result.error && result.outcome != Outcome::rolled_back)
        work.output.say(result.error->message);
    return result;
}

} // namespace pgod::compose

#include "compose/deployment.hpp"

#include "compose/changeover.hpp"
#include "compose/crash_point.hpp"
#include "compose/deployment_log.hpp"
#include "compose/images.hpp"
#include "compose/leftover.hpp"
#include "compose/need.hpp"
#include "compose/observe.hpp"
#include "compose/planning.hpp"
#include "compose/release.hpp"
#include "core/exit_status.hpp"

#include <fmt/format.h>

#include <algorithm>

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
            {work_.job.commit, work_.job.deployment, plan_.compose_file, plan_.plan, {}, {}}, "stage",
            FilesOf::stage);
    }

    Status fetch() {
        const auto& running = changeover_.running();
        const BuildHistory history{running ? &*running : nullptr, &changeover_.changed_files(), stage_};
        FetchedImages images = TRY(fetch_images(work_, plan_.plan, history));
        images_ = images.ids;
        changeover_.use(std::move(images));
        return ok();
    }

    std::optional<std::string> why() {
        const auto& running = changeover_.running();
        const NewVersion next{stage_, plan_.plan, images_, changeover_.changed_files()};
        const auto& seen = changeover_.seen();
        if (work_.job.force)
            return reason_to_deploy(running ? &*running : nullptr, next, seen).value_or("it was asked for");
        if (!running || !plan_.plan.model.recreates_only_changed())
            return reason_to_deploy(running ? &*running : nullptr, next, seen);
        return why_only_some(*running, next, seen);
    }

    std::optional<std::string> why_only_some(const Record& running, const NewVersion& next,
                                             const std::vector<Container>& seen) {
        const auto anew = renewals(running, next, seen);
        std::set<std::string> untouched;
        for (const auto& container : plan_.plan.containers)
            untouched.insert(container.name);
        for (const auto& renewal : anew)
            untouched.erase(renewal.container);
        changeover_.leave_alone(std::move(untouched));
        std::string reasons;
        for (const auto& renewal : anew)
            reasons += (reasons.empty() ? "" : "; ") + renewal.reason;
        if (!anew.empty())
            return reasons;
        const auto owned = owned_by(seen, work_.job.service);
        const auto left = std::find_if(owned.begin(), owned.end(), [this](const Container& container) {
            return std::none_of(
                plan_.plan.containers.begin(), plan_.plan.containers.end(),
                [&container](const PlannedContainer& planned) { return planned.name == container.name; });
        });
        if (left != owned.end())
            return fmt::format("{} is not in it any more", left->service);
        return std::nullopt;
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

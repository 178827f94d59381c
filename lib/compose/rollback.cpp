#include "compose/rollback.hpp"

#include "compose/changeover.hpp"
#include "compose/deployment.hpp"
#include "compose/host_limits.hpp"
#include "compose/kept.hpp"
#include "compose/planning.hpp"
#include "core/exit_status.hpp"
#include "os/users.hpp"

#include <fmt/format.h>

namespace pgod::compose {

namespace {

Result<FetchedImages> images_of_release(const Work& work, const Record& kept) {
    FetchedImages images;
    images.ids = kept.images;
    for (const auto& image : images_of(kept.plan)) {
        const auto id = kept.images.find(image);
        if (id == kept.images.end() || TRY(work.podman.images({&id->second, 1})).empty())
            return Error{Code::permanent,
                         fmt::format("the image {} of deployment {} was removed from this host", image,
                                     kept.deployment)};
    }
    return images;
}

Status stage(const Work& work, Changeover& changeover, const Record& kept) {
    TRY(judge_again(work, kept.plan, kept_name(kept.deployment)));
    Findings findings;
    check_limits(kept.plan, limits_of_this_host(os::current_user()), findings);
    if (const auto refused = std::move(findings).take(); !refused.empty())
        return Error{Code::permanent, summary_of(refused)};
    FetchedImages images = TRY(images_of_release(work, kept));
    Record next = kept;
    next.deployment = work.job.deployment;
    next.containers.clear();
    TRY(changeover.stage(std::move(next), kept_name(kept.deployment) + "/files", FilesOf::release));
    changeover.use(std::move(images));
    return changeover.prepare();
}

JobResult roll_back_to(const Work& work) {
    Changeover changeover(work, read_record(work.directory, running_release));
    const auto& running = changeover.running();
    const auto wanted =
        work.job.args.empty() ? std::nullopt : std::optional<std::string>(work.job.args.front());
    const auto kept = choose_kept(kept_releases(work.directory), running ? &*running : nullptr, wanted);
    if (!kept)
        return changeover.ended(Outcome::rejected, exit_status::rejected, kept.error());
    const std::string brief = kept->commit.substr(0, 12);
    work.output.say(fmt::format("rolling back to {}, which deployment {} brought", brief, kept->deployment));
    if (auto staged = stage(work, changeover, *kept); !staged) {
        const bool rejected = staged.error().code == Code::permanent || staged.error().code == Code::invalid;
        return changeover.not_started(staged.error(), rejected);
    }
    JobResult result = changeover.switch_over();
    if (result.outcome == Outcome::ok)
        work.output.say(fmt::format("{} runs again", brief));
    return result;
}

} // namespace

JobResult roll_back(const Work& work) {
    return deploy_under_lock(work, roll_back_to);
}

} // namespace pgod::compose

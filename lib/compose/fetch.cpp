#include "compose/fetch.hpp"

#include "compose/images.hpp"
#include "compose/leftover.hpp"
#include "compose/observe.hpp"
#include "compose/planning.hpp"
#include "core/exit_status.hpp"

#include <functional>

namespace pgod::compose {

namespace {

JobResult fetched(const Work& work, const std::function<Status(const Plan&)>& fetch) {
    JobResult result = observe(work);
    const auto lock = lock_service(work);
    if (!lock) {
        result.exit_status = lock.error().code == Code::timeout ? exit_status::busy : exit_status::failed;
        result.error = lock.error();
        return result;
    }
    const auto plan = plan_commit(work);
    const Status status = plan ? fetch(plan->plan) : Status(plan.error());
    result.exit_status = exit_status::done;
    if (!status) {
        result.exit_status = plan ? exit_status::failed : exit_status::rejected;
        result.error = status.error();
        work.output.say(status.error().message);
    }
    return result;
}

} // namespace

JobResult pull_commit(const Work& work) {
    return fetched(work, [&work](const Plan& plan) { return pull_images(work, plan, Pull::always); });
}

JobResult build_commit(const Work& work) {
    return fetched(work, [&work](const Plan& plan) -> Status {
        TRY(build_images(work, plan, nullptr));
        return ok();
    });
}

} // namespace pgod::compose

#include "compose/preview.hpp"

#include "base/text.hpp"
#include "compose/consequences.hpp"
#include "compose/json.hpp"
#include "compose/leftover.hpp"
#include "compose/observe.hpp"
#include "compose/obstacles.hpp"
#include "compose/planning.hpp"
#include "compose/switch.hpp"
#include "core/exit_status.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <functional>

namespace pgod::compose {

namespace {

constexpr std::size_t shortest_prefix = 4; // digits of a commit id
constexpr std::size_t max_reasons_in_json = 100;

JobResult ended(const Work& work, JobResult result, int exit_status, std::optional<Error> error) {
    result.exit_status = exit_status;
    result.error = std::move(error);
    if (result.error)
        work.output.say(result.error->message);
    return result;
}

JobResult refused(const Work& work, Error error) {
    const bool commit_is_at_fault = error.code == Code::permanent || error.code == Code::invalid;
    int status = commit_is_at_fault ? exit_status::rejected : exit_status::failed;
    if (error.code == Code::timeout)
        status = exit_status::busy;
    return ended(work, observe(work), status, std::move(error));
}

Status is_what_was_meant(const Work& work) {
    if (work.job.args.empty())
        return ok();
    const std::string& wanted = work.job.args.front();
    if (wanted.size() >= shortest_prefix && work.job.commit.starts_with(wanted))
        return ok();
    return Error{Code::invalid,
                 fmt::format("only the tip of the branch can be looked at, and that is {}, not {}",
                             work.job.commit.substr(0, 12), shortened(escaped(wanted), 64))};
}

struct Accepted {
    Plan plan;
    std::vector<Container> seen; // all of the user's
};

// Everything for which a deployment would be rejected before it touches anything.
Result<Accepted> accept(const Work& work, std::vector<Violation>& reasons) {
    JudgedPlan judged = TRY(plan_commit(work, &reasons));
    Accepted accepted{std::move(judged.plan), TRY(work.podman.containers())};
    const auto running = read_record(work.directory, running_release);
    const auto tree = work.directory.open_directory("tree");
    FoundObjects objects(work.podman);
    TRY(check_obstacles(work, accepted.plan,
                        {accepted.seen, running ? &*running : nullptr, tree ? tree->get() : -1, "stage"},
                        objects, &reasons));
    return accepted;
}

// The reasons in their parts; none where the host is at fault.
Json json_of(const Work& work, const Error& error, std::vector<Violation> violations) {
    if (violations.empty() && error.code == Code::permanent) // a check that finds one thing alone
        violations.push_back({{}, {}, error.message, {}});
    Json list = Json::array();
    for (const auto& [violation, services] : grouped(violations)) {
        if (list.size() == max_reasons_in_json)
            break;
        Json one{{"place", violation.place},  {"services", services},         {"setting", violation.setting},
                 {"value", violation.value},  {"problem", violation.problem}, {"grant", violation.grant},
                 {"advice", violation.advice}};
        for (auto& [name, value] : one.items())
            if (value.is_string())
                value = work.output.redacted(escaped(value.get<std::string>()));
        list.push_back(std::move(one));
    }
    return {{"commit", work.job.commit},
            {"accepted", false},
            {"reason", work.output.redacted(error.message)},
            {"reasons", std::move(list)}};
}

// `show` tells about a commit that would be accepted.
JobResult preview(const Work& work, const std::function<Status(const Accepted&)>& show) {
    if (auto meant = is_what_was_meant(work); !meant)
        return ended(work, observe(work), exit_status::usage, meant.error());
    const auto lock = lock_service(work, Leftovers::leave);
    if (!lock)
        return refused(work, lock.error());
    std::vector<Violation> reasons;
    auto accepted = accept(work, reasons);
    if (!accepted && work.job.json)
        work.output.print(written(json_of(work, accepted.error(), std::move(reasons))) + "\n");
    if (!accepted)
        return refused(work, std::move(accepted).error());
    if (auto shown = show(*accepted); !shown)
        return refused(work, std::move(shown).error());
    return ended(work, observe(work, accepted->seen), exit_status::done, std::nullopt);
}

} // namespace

JobResult check_commit(const Work& work) {
    return preview(work, [&work](const Accepted&) {
        const Json json{
            {"commit", work.job.commit}, {"accepted", true}, {"reason", ""}, {"reasons", Json::array()}};
        work.output.print(work.job.json
                              ? written(json) + "\n"
                              : fmt::format("{} would be accepted\n", work.job.commit.substr(0, 12)));
        return ok();
    });
}

JobResult show_plan(const Work& work) {
    return preview(work, [&work](const Accepted& accepted) -> Status {
        const auto consequences = TRY(consequences_of(work, accepted.plan, accepted.seen));
        work.output.print(work.job.json ? written(json_of(work, consequences)) + "\n"
                                        : text_of(work, consequences));
        return ok();
    });
}

} // namespace pgod::compose

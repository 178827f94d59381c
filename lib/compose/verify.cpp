#include "compose/verify.hpp"

#include "base/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <thread>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto look_interval = 250ms;
constexpr auto check_interval = 500ms; // between two runs of the same healthcheck
constexpr auto longest_check = 30s;    // podman enforces the file's own timeout only with systemd
constexpr const char* shown_lines = "20";
constexpr std::size_t max_shown = 64 << 10; // bytes

// The deployment whose label the container carries.
std::uint64_t made_by(const Record& record, const std::string& name) {
    const auto found = std::find_if(record.containers.begin(), record.containers.end(),
                                    [&name](const RecordedContainer& one) { return one.name == name; });
    return found == record.containers.end() ? record.deployment : found->deployment;
}

std::vector<ExpectedContainer> expected_of(const Record& record) {
    auto expected = expected_containers(record);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i].deployment = std::to_string(made_by(record, expected[i].name));
        expected[i].may_end = !restarts(record.plan.containers[i]); // which ones do is found out here
    }
    return expected;
}

// One verification: what was seen before, and which healthchecks passed.
class Watch {
  public:
    Watch(const Work& work, const Record& record)
        : work_(work)
        , expected_(expected_of(record)) {}

    // true: everything is as it should be now
    Result<bool> look() {
        seen_ = TRY(work_.podman.containers());
        bool waiting = false;
        for (const auto& expected : expected_) {
            const Judgement judgement = judge_container(expected, seen_);
            const Container* container = find_container(seen_, expected.name);
            if (judgement.verdict == Verdict::missing)
                return Error{Code::permanent, judgement.problem};
            if (container == nullptr)
                continue;
            TRY(same_process(expected, *container));
            const bool checked = container->health != ContainerHealth::none && container->state == "running";
            if (judgement.verdict == Verdict::bad &&
                !(checked && container->health == ContainerHealth::unhealthy))
                return Error{Code::permanent, judgement.problem};
            if (checked && !passed(*container)) {
                waiting = true;
                problem_ = fmt::format("{} does not pass its healthcheck", expected.service);
            }
        }
        return !waiting;
    }

    const std::string& problem() const noexcept { return problem_; }

    // Of the last look, which found everything good.
    bool has_ended(const std::string& name) const {
        const Container* container = find_container(seen_, name);
        return container != nullptr && container->state != "running";
    }

  private:
    Status same_process(const ExpectedContainer& expected, const Container& container) {
        if (container.state != "running")
            return ok();
        const auto [known, is_new] = pids_.emplace(container.id, container.pid);
        if (!is_new && known->second != container.pid)
            return Error{Code::permanent,
                         fmt::format("{} ends and is started again and again", expected.service)};
        return ok();
    }

    bool passed(const Container& container) {
        if (container.health == ContainerHealth::healthy || healthy_[container.id])
            return true;
        auto& next = next_check_[container.id];
        if (Clock::now() < next)
            return false;
        Podman::Call call;
        call.arguments = {"healthcheck", "run", container.id};
        call.deadline = longest_check;
        const auto answer = work_.podman.call(call);
        next = Clock::now() + check_interval;
        healthy_[container.id] = answer && answer->exit_code == 0;
        return healthy_[container.id];
    }

    const Work& work_;
    std::vector<ExpectedContainer> expected_;
    std::vector<Container> seen_;
    std::map<std::string, std::int64_t> pids_;
    std::map<std::string, bool> healthy_;
    std::map<std::string, Clock::time_point> next_check_;
    std::string problem_;
};

} // namespace

Status verify(const Work& work, Record& record, const VerifyLimits& limits) {
    Watch watch(work, record);
    const auto begin = Clock::now();
    for (;;) {
        const bool good = TRY(watch.look());
        const auto passed = Clock::now() - begin;
        if (good && passed >= limits.settling) {
            for (auto& container : record.containers)
                container.ended |= watch.has_ended(container.name);
            return ok();
        }
        if (!good && passed >= limits.start_timeout)
            return Error{Code::timeout,
                         fmt::format("{} within {}", watch.problem(),
                                     std::chrono::duration_cast<std::chrono::seconds>(limits.start_timeout))};
        std::this_thread::sleep_for(look_interval);
    }
}

namespace {

// podman keeps the last five.
constexpr const char* healthcheck_outputs =
    "{{range .State.Health.Log}}exit {{.ExitCode}}: {{.Output}}\n{{end}}";

void show(const Work& work, std::string_view text, const std::string& title) {
    for (const auto line : split(trimmed(text), '\n'))
        if (!line.empty())
            work.output.say(fmt::format("{} | {}", title, line));
}

Podman::Call brief_call(Argv arguments) {
    Podman::Call call;
    call.arguments = std::move(arguments);
    call.deadline = 10s;
    return call;
}

// Both streams: podman hands on what the container wrote to each.
void show_log(const Work& work, const std::string& container, const std::string& title) {
    auto call = brief_call({"logs", "--tail", shown_lines, container});
    std::string text;
    call.on_output = [&text](std::string_view bytes) {
        text.append(bytes.substr(0, max_shown - std::min(text.size(), max_shown)));
    };
    (void)work.podman.call(call);
    show(work, text, title);
}

// One stream: podman's own warnings are no output of the healthcheck.
void show_healthcheck(const Work& work, const std::string& container, const std::string& title) {
    const auto answer = work.podman.call(brief_call({"inspect", "--format", healthcheck_outputs, container}));
    if (answer)
        show(work, std::string_view(answer->output).substr(0, max_shown), title);
}

} // namespace

void show_failures(const Work& work, const Record& record) {
    const auto seen = work.podman.containers();
    if (!seen)
        return;
    for (const auto& expected : expected_of(record)) {
        const Judgement judgement = judge_container(expected, *seen);
        const Container* container = find_container(*seen, expected.name);
        if (container == nullptr || container->owner != work.job.service)
            continue;
        // One that is restarted all the time may look good for a moment.
        if (judgement.verdict == Verdict::good && expected.may_end)
            continue;
        show_log(work, container->id, expected.service);
        if (container->health != ContainerHealth::none && container->health != ContainerHealth::healthy)
            show_healthcheck(work, container->id, expected.service + " healthcheck");
    }
}

} // namespace pgod::compose

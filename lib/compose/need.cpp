#include "compose/need.hpp"

#include "base/text.hpp"
#include "core/mount.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

std::optional<std::string> path_beneath(std::string_view path, std::string_view directory) {
    if (path == directory)
        return std::string();
    if (path.size() <= directory.size() || !path.starts_with(directory) || path[directory.size()] != '/')
        return std::nullopt;
    return std::string(path.substr(directory.size() + 1));
}

std::set<std::string> bind_sources(const Plan& plan, std::string_view stage) {
    std::set<std::string> sources;
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (const auto bind = bind_of(option))
                if (auto path = path_beneath(bind->source, stage))
                    sources.insert(std::move(*path));
    return sources;
}

std::set<std::string> files_of_plan(const Plan& plan, std::string_view stage) {
    std::set<std::string> files(plan.files.begin(), plan.files.end());
    files.merge(bind_sources(plan, stage)); // a directory is no entry of a commit, and so never "changed"
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (option.flag == "--env-file")
                if (auto path = path_beneath(option.value, stage))
                    files.insert(std::move(*path));
    return files;
}

std::optional<std::string> reason_to_deploy(const Record* running, const NewVersion& next,
                                            std::span<const Container> seen) {
    if (running == nullptr)
        return "nothing was deployed yet";
    for (const auto& file : files_of_plan(next.plan, next.stage))
        if (std::binary_search(next.changed.begin(), next.changed.end(), file))
            return fmt::format("{} changed", escaped(file));
    if (running->plan != next.plan)
        return "what the service asks of podman changed";
    for (const auto& container : next.plan.containers) {
        const auto before = running->images.find(container.image);
        const auto now = next.images.find(container.image);
        if (before == running->images.end() || now == next.images.end() || before->second != now->second)
            return fmt::format("the image of {} changed", container.service);
    }
    for (const auto& expected : expected_containers(*running)) {
        const Judgement judgement = judge_container(expected, seen);
        if (judgement.verdict != Verdict::good && judgement.verdict != Verdict::waiting)
            return judgement.problem;
    }
    if (owned_by(seen, next.plan.project).size() != next.plan.containers.size())
        return "there are containers of another version";
    return std::nullopt;
}

} // namespace pgod::compose

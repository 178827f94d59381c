#include "compose/consequences.hpp"

#include "base/text.hpp"
#include "compose/images.hpp"
#include "compose/memory_files.hpp"
#include "core/plan_images.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

constexpr std::size_t shown_digits = 12; // of a commit id

// Under the names that the plan uses; without those that would be built or pulled.
Result<ImageIds> images_here(const Work& work, const Plan& plan, const Record* running,
                             const std::vector<std::string>& to_build) {
    ImageIds ids;
    for (const auto& [image, found] : TRY(work.podman.images(images_to_pull(plan))))
        ids[image] = found.id;
    for (const auto& build : plan.builds)
        if (running != nullptr && std::find(to_build.begin(), to_build.end(), build.image) == to_build.end())
            ids[build.image] = running->images.at(build.image);
    return ids;
}

bool is_made_anew(const Consequences& consequences, const ContainerDifference& container) {
    return consequences.need && container.change != Change::removed &&
           !consequences.need->untouched.contains(container.name);
}

std::string what_happens(const Consequences& consequences, const ContainerDifference& container) {
    if (container.change == Change::added || container.change == Change::removed)
        return std::string(name_of(container.change));
    return fmt::format("{}, {}", name_of(container.change),
                       is_made_anew(consequences, container) ? "made anew" : "goes on running");
}

void list_names(const std::vector<NameDifference>& names, std::string_view kind, std::string& text) {
    for (const auto& name : names)
        if (name.change != Change::unchanged)
            text += fmt::format("{} {}: {}{}\n", kind, escaped(name.name), name_of(name.change),
                                kind == "volume" && name.change == Change::removed ? "; its data stay" : "");
}

void list_files(const std::vector<std::string>& paths, std::string_view change, std::string& text) {
    for (std::size_t i = 0; i < std::min(paths.size(), max_shown_files); ++i)
        text += fmt::format("file {}: {}\n", escaped(paths[i]), change);
    if (paths.size() > max_shown_files)
        text += fmt::format("and {} more files: {}\n", paths.size() - max_shown_files, change);
}

Json files_json(const std::vector<std::string>& paths) {
    Json list = Json::array();
    for (std::size_t i = 0; i < std::min(paths.size(), max_shown_files); ++i)
        list.push_back(paths[i]);
    return {{"count", paths.size()}, {"paths", std::move(list)}};
}

Json names_json(const std::vector<NameDifference>& names) {
    Json list = Json::array();
    for (const auto& name : names)
        list.push_back({{"name", name.name}, {"change", name_of(name.change)}});
    return list;
}

} // namespace

Result<Consequences> consequences_of(const Work& work, const Plan& plan, std::span<const Container> seen) {
    auto record = read_record(work.directory, running_release);
    if (record)
        take_completed_images(record->plan, record->images, plan);
    const Record* running = record ? &*record : nullptr;
    const std::string stage = work.directory.path_of("stage");
    Consequences found;
    found.running = running != nullptr ? running->commit : std::string();
    found.difference = difference_of(running != nullptr ? running->plan : Plan{}, plan);
    found.files = TRY(file_changes(work.directory));
    std::vector<std::string> changed = found.files.added;
    changed.insert(changed.end(), found.files.changed.begin(), found.files.changed.end());
    changed.insert(changed.end(), found.files.removed.begin(), found.files.removed.end());
    std::sort(changed.begin(), changed.end());
    found.to_build = images_to_build(plan, BuildHistory{running, &changed, stage});
    const ImageIds images = TRY(images_here(work, plan, running, found.to_build));
    for (const auto& image : images_to_pull(plan))
        if (!images.contains(image))
            found.to_pull.push_back(image);
    auto secrets = TRY(changed_secrets(work.podman, plan, work.job.secrets));
    secrets.merge(changed_memory_files(work, plan, seen));
    found.need = need_of(running, NewVersion{stage, plan, images, changed, std::move(secrets)}, seen);
    return found;
}

std::string text_of(const Work& work, const Consequences& consequences) {
    const std::string commit = work.job.commit.substr(0, shown_digits);
    std::string text =
        consequences.running.empty()
            ? fmt::format("{}, where nothing runs yet\n", commit)
            : fmt::format("{}, where {} runs\n", commit, consequences.running.substr(0, shown_digits));
    for (const auto& container : consequences.difference.containers) {
        text += fmt::format("container {}: {}\n", escaped(container.service),
                            what_happens(consequences, container));
        for (const auto& how : container.how)
            text += fmt::format("    {}\n", escaped(how));
    }
    list_names(consequences.difference.networks, "network", text);
    list_names(consequences.difference.volumes, "volume", text);
    for (const auto& image : consequences.to_build)
        text += fmt::format("image {}: would be built\n", escaped(image));
    for (const auto& image : consequences.to_pull)
        text += fmt::format("image {}: would be pulled\n", escaped(image));
    list_files(consequences.files.added, "added", text);
    list_files(consequences.files.changed, "changed", text);
    list_files(consequences.files.removed, "removed", text);
    if (consequences.need)
        return text + fmt::format("containers would be made anew: {}\n", consequences.need->reason);
    return text + "no container would be touched\n";
}

Json json_of(const Work& work, const Consequences& consequences) {
    Json containers = Json::array();
    for (const auto& container : consequences.difference.containers) {
        Json how = Json::array();
        for (const auto& line : container.how)
            how.push_back(work.output.redacted(line));
        containers.push_back({{"service", container.service},
                              {"name", container.name},
                              {"change", name_of(container.change)},
                              {"made_anew", is_made_anew(consequences, container)},
                              {"how", std::move(how)}});
    }
    return {
        {"commit", work.job.commit},
        {"accepted", true},
        {"reason", ""},
        {"running", consequences.running},
        {"containers", std::move(containers)},
        {"networks", names_json(consequences.difference.networks)},
        {"volumes", names_json(consequences.difference.volumes)},
        {"to_build", consequences.to_build},
        {"to_pull", consequences.to_pull},
        {"files",
         {{"added", files_json(consequences.files.added)},
          {"changed", files_json(consequences.files.changed)},
          {"removed", files_json(consequences.files.removed)}}},
        {"need", consequences.need ? Json(work.output.redacted(consequences.need->reason)) : Json(nullptr)}};
}

} // namespace pgod::compose

#include "compose/images.hpp"

#include "compose/arguments.hpp"
#include "compose/need.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_build = 30min;
constexpr auto longest_pull = 15min;
constexpr std::size_t id_length = 12; // of the id in our tag

std::chrono::milliseconds until(std::chrono::steady_clock::time_point deadline,
                                std::chrono::milliseconds longest) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return std::clamp<std::chrono::milliseconds>(left, 1s, longest);
}

std::string repository_of(const Work& work) {
    return fmt::format("localhost/pgod/{}", work.job.service);
}

std::string tag_of(const Work& work, const std::string& id) {
    return fmt::format("{}:{}", repository_of(work), id.substr(0, id_length));
}

// The same build, from files that did not change since the running release was built.
bool is_built(const PlannedBuild& build, const BuildHistory& history) {
    if (history.running == nullptr || !history.running->images.contains(build.image))
        return false;
    const auto& before = history.running->plan.builds;
    const auto context = path_beneath(build.context, history.stage);
    const auto file = path_beneath(build.file, history.stage);
    if (std::find(before.begin(), before.end(), build) == before.end() || !context || !file)
        return false;
    return std::none_of(history.changed->begin(), history.changed->end(), [&](const std::string& path) {
        return context->empty() || path == *file || path_beneath(path, *context);
    });
}

Status relayed(const Work& work, Podman::Call call, const std::string& doing) {
    std::string last;
    call.on_output = [&work, &last](std::string_view bytes) {
        work.output.relay(bytes);
        last.append(bytes);
        if (last.size() > 4096)
            last.erase(0, last.size() - 2048);
    };
    const auto answer = work.podman.call(call);
    work.output.flush();
    if (!answer)
        return Error(answer.error()).context(doing);
    if (answer->exit_code != 0)
        return Error{Code::permanent, fmt::format("{}: {}", doing, problem_of(last))};
    return ok();
}

std::string service_of(const Plan& plan, const std::string& image) {
    const auto found = std::find_if(plan.containers.begin(), plan.containers.end(),
                                    [&image](const auto& container) { return container.image == image; });
    return found == plan.containers.end() ? image : found->service;
}

} // namespace

std::vector<std::string> images_of(const Plan& plan) {
    std::set<std::string> images;
    for (const auto& container : plan.containers)
        images.insert(container.image);
    return {images.begin(), images.end()};
}

std::vector<std::string> images_to_pull(const Plan& plan) {
    std::vector<std::string> images = images_of(plan);
    std::erase_if(images, [&plan](const std::string& image) {
        return std::any_of(plan.builds.begin(), plan.builds.end(),
                           [&image](const PlannedBuild& build) { return build.image == image; });
    });
    return images;
}

Status build_images(const Work& work, const Plan& plan, const BuildHistory* unless_built) {
    for (const auto& build : plan.builds) {
        const std::string service = service_of(plan, build.image);
        if (unless_built != nullptr && is_built(build, *unless_built) &&
            !TRY(work.podman.images(std::vector{build.image})).empty())
            continue;
        work.progress("build");
        work.output.say(fmt::format("building the image of {}", service));
        Podman::Call call;
        call.arguments = build_call(build);
        call.deadline = until(work.job.deadline, longest_build);
        call.directory = build.context;
        TRY(relayed(work, std::move(call), fmt::format("{}: build failed", service)));
    }
    return ok();
}

Status pull_images(const Work& work, const Plan& plan, Pull pull) {
    const auto wanted = images_to_pull(plan);
    const auto found = TRY(work.podman.images(wanted));
    for (const auto& image : wanted) {
        // An image of the host itself is nowhere to be pulled from.
        const bool local = image.starts_with("localhost/");
        if (found.contains(image) && (pull == Pull::missing || local))
            continue;
        work.progress("pull");
        work.output.say(fmt::format("pulling {}", image));
        Podman::Call call;
        call.arguments = {"pull", "--", image};
        call.deadline = until(work.job.deadline, longest_pull);
        auto pulled =
            relayed(work, std::move(call), fmt::format("{}: pull {}", service_of(plan, image), image));
        if (!pulled) {
            // The registry may answer tomorrow; the file need not change for it.
            pulled.error().code = Code::transient;
            return pulled;
        }
    }
    return ok();
}

Result<ImageIds> fetch_images(const Work& work, const Plan& plan, const BuildHistory& history) {
    TRY(build_images(work, plan, &history));
    const auto wanted = images_of(plan);
    auto found = TRY(work.podman.images(wanted));
    if (found.size() != wanted.size()) {
        TRY(pull_images(work, plan, Pull::missing));
        found = TRY(work.podman.images(wanted));
    }
    ImageIds ids;
    for (const auto& image : wanted) {
        const auto one = found.find(image);
        if (one == found.end() || one->second.id.empty())
            return Error{Code::transient, fmt::format("image {} is missing although it was fetched", image)};
        ids[image] = one->second.id;
    }
    return ids;
}

Status keep_images(const Work& work, const ImageIds& images) {
    std::set<std::string> ids;
    for (const auto& [image, id] : images)
        ids.insert(id);
    const std::vector<std::string> list(ids.begin(), ids.end());
    const auto found = TRY(work.podman.images(list));
    for (const auto& id : list) {
        const std::string tag = tag_of(work, id);
        const auto one = found.find(id);
        const bool tagged = one != found.end() && std::find(one->second.tags.begin(), one->second.tags.end(),
                                                            tag) != one->second.tags.end();
        Podman::Call call;
        call.arguments = {"tag", id, tag};
        if (!tagged)
            TRY(work.podman.must(call, "keep the image"));
    }
    return ok();
}

void remove_old_images(const Work& work, const ImageIds& wanted) {
    Podman::Call list;
    list.arguments = {"image",    "ls",
                      "--filter", "reference=" + repository_of(work),
                      "--format", "{{.Repository}}:{{.Tag}}"};
    const auto answer = work.podman.call(list);
    if (!answer || answer->exit_code != 0)
        return;
    std::set<std::string> keep;
    for (const auto& [image, id] : wanted)
        keep.insert(tag_of(work, id));
    Podman::Call remove;
    remove.arguments = {"rmi", "--"};
    for (std::size_t begin = 0; begin < answer->output.size();) {
        const auto end = std::min(answer->output.find('\n', begin), answer->output.size());
        const std::string tag = answer->output.substr(begin, end - begin);
        if (tag.starts_with(repository_of(work) + ":") && !keep.contains(tag))
            remove.arguments.push_back(tag);
        begin = end + 1;
    }
    if (remove.arguments.size() > 2)
        (void)work.podman.call(remove); // an image in use stays, and is tried again with the next deployment
}

} // namespace pgod::compose

#include "compose/images.hpp"

#include "compose/build.hpp"
#include "compose/crash_point.hpp"
#include "compose/image_store.hpp"
#include "compose/need.hpp"
#include "compose/problem.hpp"
#include "compose/space.hpp"
#include "compose/tail.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_build = 30min;
constexpr auto longest_pull = 15min;
constexpr std::size_t id_length = 12; // of the id in our tag

std::chrono::milliseconds until_switch(const Job& job, std::chrono::milliseconds longest) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(job.deadline - std::chrono::steady_clock::now());
    return std::clamp<std::chrono::milliseconds>(left - time_to_switch(job), 1s, longest);
}

std::string repository_of(const Work& work) {
    return fmt::format("localhost/pgod/{}", work.job.service);
}

std::string tag_of(const Work& work, const std::string& id) {
    return fmt::format("{}:{}", repository_of(work), bare_id(id).substr(0, id_length));
}

std::string tag_of_build(const Work& work, std::size_t number) {
    return fmt::format("{}:build-{}", repository_of(work), number);
}

void add(FetchedImages& images, const Work& work, const std::string& name, const FoundImage& found) {
    images.ids[name] = found.id;
    if (std::find(found.tags.begin(), found.tags.end(), tag_of(work, found.id)) != found.tags.end())
        images.kept.insert(found.id);
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
    Tail last;
    call.on_output = [&work, &last](std::string_view bytes) {
        work.output.relay(bytes);
        last.append(bytes);
    };
    const auto answer = work.podman.call(call);
    work.output.flush();
    if (!answer)
        return Error(answer.error()).context(doing);
    if (answer->exit_code != 0)
        return Error{Code::permanent, fmt::format("{}: {}", doing, problem_of(last.text()))};
    return ok();
}

Result<FoundImage> built(const Work& work, const ImageStore& store, const Plan& plan,
                         const PlannedBuild& build, const std::string& tag, const std::string& doing) {
    auto made = build_in_jail(work, store, plan, build, tag, until_switch(work.job, longest_build),
                              [&work](std::string_view bytes) { work.output.relay(bytes); });
    work.output.flush();
    if (made)
        return made;
    Error error = std::move(made).error();
    if (error.code == Code::permanent)
        if (auto space = check_build_space(work, store.root); !space && space.error().code == Code::transient)
            return space.error(); // it is the disk's fault, not the commit's
    return std::move(error).context(doing);
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

std::vector<std::string> images_to_build(const Plan& plan, const BuildHistory& history) {
    std::vector<std::string> images;
    for (const auto& build : plan.builds)
        if (!is_built(build, history))
            images.push_back(build.image);
    return images;
}

Result<FetchedImages> build_images(const Work& work, const Plan& plan, const BuildHistory* unless_built) {
    FetchedImages images;
    std::optional<ImageStore> store;
    for (std::size_t i = 0; i < plan.builds.size(); ++i) {
        const auto& build = plan.builds[i];
        if (unless_built != nullptr && is_built(build, *unless_built)) {
            const std::string& id = unless_built->running->images.at(build.image);
            const auto found = TRY(work.podman.images({&id, 1}));
            if (found.contains(id)) {
                add(images, work, build.image, found.at(id));
                continue;
            }
        }
        const std::string service = service_of(plan, build.image);
        const std::string tag = tag_of_build(work, i);
        if (!store)
            store = TRY(find_image_store(work.podman));
        TRY(check_build_space(work, store->root));
        work.progress("build");
        work.output.say(fmt::format("building the image of {}", service));
        const auto image =
            TRY(built(work, *store, plan, build, tag, fmt::format("{}: build failed", service)));
        crash_point("image-built");
        add(images, work, build.image, image);
    }
    return images;
}

namespace {

bool has_policy(const Plan& plan, const std::string& image,
                std::initializer_list<std::string_view> policies) {
    return std::any_of(plan.containers.begin(), plan.containers.end(), [&](const PlannedContainer& one) {
        const auto service = plan.model.services.find(one.service);
        return one.image == image && service != plan.model.services.end() &&
               std::find(policies.begin(), policies.end(), service->second.pull) != policies.end();
    });
}

} // namespace

Status pull_images(const Work& work, const Plan& plan, Pull pull) {
    const auto wanted = images_to_pull(plan);
    const auto found = TRY(work.podman.images(wanted));
    for (const auto& image : wanted) {
        // An image of the host itself is nowhere to be pulled from.
        const bool local = image.starts_with("localhost/");
        const bool is_here = found.contains(image);
        if (is_here && (local || (pull == Pull::missing && !has_policy(plan, image, {"always", "newer"}))))
            continue;
        if (!is_here && pull == Pull::missing && has_policy(plan, image, {"never"}))
            return Error{
                Code::transient,
                fmt::format("{}: image {} is not here, and pull_policy is never; load it on the host",
                            service_of(plan, image), image)};
        TRY(check_images_space(work));
        work.progress("pull");
        work.output.say(fmt::format("pulling {}", image));
        Podman::Call call;
        call.arguments = {"pull", "--", image};
        call.deadline = until_switch(work.job, longest_pull);
        call.registry_auth = work.job.registry_auth;
        call.ends_with_us = true;
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

Result<FetchedImages> fetch_images(const Work& work, const Plan& plan, const BuildHistory& history) {
    FetchedImages images = TRY(build_images(work, plan, &history));
    const auto wanted = images_to_pull(plan);
    auto found = TRY(work.podman.images(wanted));
    const bool is_asked_for = std::any_of(wanted.begin(), wanted.end(), [&plan](const std::string& image) {
        return has_policy(plan, image, {"always", "newer"});
    });
    if (is_asked_for || found.size() != wanted.size()) {
        TRY(pull_images(work, plan, Pull::missing));
        found = TRY(work.podman.images(wanted));
    }
    for (const auto& image : wanted) {
        const auto one = found.find(image);
        if (one == found.end() || one->second.id.empty())
            return Error{Code::transient, fmt::format("image {} is missing although it was fetched", image)};
        add(images, work, image, one->second);
    }
    return images;
}

Status keep_images(const Work& work, const FetchedImages& images) {
    std::set<std::string> ids;
    for (const auto& [image, id] : images.ids)
        if (!images.kept.contains(id))
            ids.insert(id);
    for (const auto& id : ids) {
        Podman::Call call;
        call.arguments = {"tag", id, tag_of(work, id)};
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

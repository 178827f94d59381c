#include "core/plan_images.hpp"

#include "core/image_name.hpp"
#include "core/plan_shapes.hpp"

#include <algorithm>

namespace pgod {

namespace {

// The name under which podman has what the build makes.
std::string made_by(const PlannedBuild& build) {
    return with_default_tag(names_a_registry(build.image) ? completed_image(build.image)
                                                          : image_of_this_host(build.image));
}

// What `image` can mean, the first choice first.
std::vector<std::string> meanings_of(const std::string& image) {
    if (names_a_registry(image))
        return {completed_image(image)};
    return {image_of_this_host(image), completed_image(image)};
}

// Others are rejected, as they stand in the file.
bool is_name(const std::string& image) {
    return is_image_reference(image) && !is_image_id(image);
}

} // namespace

const PlannedBuild* build_of(const Plan& plan, const std::string& image) {
    const auto named = std::find_if(plan.builds.begin(), plan.builds.end(),
                                    [&image](const PlannedBuild& build) { return build.image == image; });
    if (named != plan.builds.end())
        return &*named;
    for (const auto& meaning : meanings_of(image))
        for (const auto& build : plan.builds)
            if (made_by(build) == with_default_tag(meaning))
                return &build;
    return nullptr;
}

std::vector<std::string> images_to_look_for(const Plan& plan) {
    std::set<std::string> names;
    for (const auto& container : plan.containers) {
        const auto& image = container.image;
        if (!is_name(image) || build_of(plan, image) != nullptr)
            continue;
        if (!names_a_registry(image))
            names.insert(image_of_this_host(image));
        else if (image.starts_with("localhost/"))
            names.insert(completed_image(image));
    }
    return {names.begin(), names.end()};
}

void complete_images(Plan& plan, const std::set<std::string>& here) {
    for (auto& container : plan.containers) {
        auto& image = container.image;
        if (!is_name(image))
            continue;
        if (const auto* build = build_of(plan, image); build != nullptr)
            image = build->image;
        else if (!names_a_registry(image) && here.contains(image_of_this_host(image)))
            image = image_of_this_host(image);
        else
            image = completed_image(image);
    }
}

void take_completed_images(Plan& running, std::map<std::string, std::string>& images, const Plan& next) {
    for (auto& before : running.containers)
        for (const auto& after : next.containers) {
            if (after.name != before.name || after.image == before.image)
                continue;
            const auto meanings = meanings_of(before.image);
            if (std::find(meanings.begin(), meanings.end(), after.image) == meanings.end())
                continue;
            if (const auto id = images.find(before.image); id != images.end())
                images.emplace(after.image, id->second);
            before.image = after.image;
        }
}

} // namespace pgod

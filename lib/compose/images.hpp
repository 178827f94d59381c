// Images: everything a plan needs is built or pulled and resolved to ids while the old version runs. An image
// that runs carries a tag of ours (localhost/pgod/SERVICE:ID), so that it outlives a prune and the next build
// or pull of its name; those that no release uses any more are removed.
#pragma once

#include "compose/job.hpp"
#include "compose/record.hpp"
#include "core/plan.hpp"

#include <map>
#include <string>
#include <vector>

namespace pgod::compose {

using ImageIds = std::map<std::string, std::string>; // image as the plan says it → id

// What the running release tells about a build: a plan that builds the same from unchanged files needs no
// build.
struct BuildHistory {
    const Record* running = nullptr;
    const std::vector<std::string>* changed = nullptr; // since then; relative to the stage
    std::string stage;
};

Status build_images(const Work& work, const Plan& plan, const BuildHistory* unless_built);
enum class Pull { missing, always };
Status pull_images(const Work& work, const Plan& plan, Pull pull);
Result<ImageIds> fetch_images(const Work& work, const Plan& plan, const BuildHistory& history);

Status keep_images(const Work& work, const ImageIds& images);
void remove_old_images(const Work& work, const ImageIds& wanted); // best effort: one in use stays

std::vector<std::string> images_of(const Plan& plan);      // of its containers, once each
std::vector<std::string> images_to_pull(const Plan& plan); // those that no build makes

} // namespace pgod::compose

// Images: everything a plan needs is built or pulled and resolved to ids while the old version runs. An image
// that runs carries a tag of ours (localhost/pgod/SERVICE:ID), so that it outlives a prune and the next build
// or pull of its name; those that no release uses any more are removed. A build gets a tag of ours only
// (localhost/pgod/SERVICE:build-N): the name in the compose file stands for it in the plan and nowhere else,
// since in the image store it could replace what another service of the same user runs.
#pragma once

#include "compose/job.hpp"
#include "compose/record.hpp"
#include "core/plan.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pgod::compose {

using ImageIds = std::map<std::string, std::string>; // image as the plan says it → id

// The running release, against which pgod compares a build: the same build from unchanged files is skipped.
struct BuildHistory {
    const Record* running = nullptr;
    const std::vector<std::string>* changed = nullptr; // since then; relative to the stage
    std::string stage;
};

// The images that were fetched, and which of them carry our tag already.
struct FetchedImages {
    ImageIds ids;
    std::set<std::string> kept; // ids
};

// Code::permanent also when a build does not end in time: none of its processes runs on.
Result<FetchedImages> build_images(const Work& work, const Plan& plan, const BuildHistory* unless_built);
enum class Pull { missing, always }; // missing: and what `pull_policy` asks for
Status pull_images(const Work& work, const Plan& plan, Pull pull);
Result<FetchedImages> fetch_images(const Work& work, const Plan& plan, const BuildHistory& history);

Status keep_images(const Work& work, const FetchedImages& images);
void remove_old_images(const Work& work, const ImageIds& wanted); // best effort: one in use stays

// The images that would have to be built: the running release has not built them from the same.
std::vector<std::string> images_to_build(const Plan& plan, const BuildHistory& history);
std::vector<std::string> images_of(const Plan& plan);      // of its containers, once each
std::vector<std::string> images_to_pull(const Plan& plan); // those that no build makes

} // namespace pgod::compose

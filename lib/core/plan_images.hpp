// Which image each container of a plan means: one that a build of the same plan makes, one of this host, or
// one of a registry, under its complete name (core/image_name.hpp). Pure. The plan is completed once, before
// it is judged, so that `check`, `plan`, pulls and records all have the name that podman gets.
#pragma once

#include "core/plan.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pgod {

// The names under which this host may have an image that the plan names without a registry, or beneath
// localhost/.
std::vector<std::string> images_to_look_for(const Plan& plan);

// `here`: which of them it has. An image that a build makes keeps the name that the build gives it.
void complete_images(Plan& plan, const std::set<std::string>& here);

const PlannedBuild* build_of(const Plan& plan, const std::string& image); // that makes it, or nullptr

// `running` and its `images` were recorded before names were completed: each name that `next` completes for
// the same container becomes that of `next`, so that the two compare equal.
void take_completed_images(Plan& running, std::map<std::string, std::string>& images, const Plan& next);

} // namespace pgod

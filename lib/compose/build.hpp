// A build, in the jail (jail/jail.hpp) and with an image store of the service's own, so that a Containerfile
// reads and changes nothing but its stage, and a tag in it replaces no other service's image. "build" in the
// service's directory holds:
//   store    images and layers of this service's builds; they make the next one fast
//   cache    /var/tmp of the jail, with RUN --mount=type=cache
//   images   the view of the user's images that this build starts from
//   root     an empty directory, under the jail's root
//   out      the finished image on its way to the user's store, and its id
//   registries.conf  what names without a registry mean in the build
// The user's podman fetches the images that a build starts from before it, outside of the jail: the password
// of the registry does not enter the jail. Runs in the worker, as the service's user.
#pragma once

#include "compose/image_store.hpp"
#include "compose/job.hpp"
#include "core/plan.hpp"

namespace pgod::compose {

// Builds one of the plan's, gives the finished image `tag` in the user's store, and returns the image with
// the tags that it had before. `deadline`: of the whole. Nothing of the build runs on when this returns, or
// when this process ends.
Result<FoundImage> build_in_jail(const Work& work, const ImageStore& store, const Plan& plan,
                                 const PlannedBuild& build, const std::string& tag,
                                 std::chrono::milliseconds deadline,
                                 const std::function<void(std::string_view)>& on_output);

} // namespace pgod::compose

// Image users: an image may name a user by a number that containers of this host's user do not have. Known
// only once the image is here, and so the last thing before the old containers go.
#pragma once

#include "compose/images.hpp"
#include "compose/job.hpp"

namespace pgod::compose {

// Of images whose user no service replaces. Asks podman once. Code::permanent: a number is too high.
Status check_image_users(const Work& work, const Plan& plan, const ImageIds& images);

} // namespace pgod::compose

// An image as `podman save --format=oci-dir` leaves it in the service's directory, on its way from the jail
// of a build to the user's store. The jail wrote it, so nothing in it is believed. Runs in the worker, as the
// service's user.
#pragma once

#include "base/result.hpp"
#include "compose/service_directory.hpp"

#include <cstdint>
#include <string>

namespace pgod::compose {

// Bytes of its layers. `path` beneath the service's directory.
Result<std::uint64_t> size_of_image(const ServiceDirectory& directory, const std::string& path);

// podman takes annotations of the image's index for names of it; the jail must not choose these.
Status drop_names(const ServiceDirectory& directory, const std::string& path);

} // namespace pgod::compose

// The images that a Containerfile builds on: FROM, COPY --from and RUN --mount=from, as far as they name an
// image of a registry or of this host and no stage. Pure. pgod reads them only to fetch them before the build,
// with the registry's password. The build itself fetches an image that this reader misses, without a password.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

// `args` beat the defaults of ARG. In order, once each; at most 64. Each is_image_reference().
std::vector<std::string> base_images(std::string_view containerfile,
                                     const std::map<std::string, std::string>& args);

} // namespace pgod

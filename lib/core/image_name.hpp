// Names of images as the Compose specification and Docker read them. Pure. A name without a registry is one
// of Docker Hub, whatever the host's registries.conf says. podman keeps an image that was built on this host
// under such a name as localhost/NAME, and takes that one first; pgod does the same.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgod {

// The part before the first "/" is a registry when it has a "." or a ":", or is "localhost".
bool names_a_registry(std::string_view image);

// nginx:1 → docker.io/library/nginx:1, a/b → docker.io/a/b, index.docker.io/a → docker.io/library/a. Tag and
// digest stay; none is added. Of a complete name: itself. `image` is_image_reference().
std::string completed_image(std::string_view image);

// localhost/pgod/SERVICE, also without localhost/: of an image of any service of the user.
bool is_kept_by_pgod(std::string_view image);

std::string image_of_this_host(std::string_view image); // of a name without a registry: localhost/NAME

std::string_view without_tag(std::string_view image); // …and without digest
std::string with_default_tag(std::string image);      // ":latest", unless it has a tag or a digest

// What a build needs beside the admin's registries.conf, so that a name without a registry means the same in
// a Containerfile as in a compose file: containers-registries.conf(5). `meanings`: from a name without
// registry and tag to the complete one. Names that podman does not take are left out: it would refuse the
// whole file.
std::string registries_conf(const std::map<std::string, std::string>& meanings);

} // namespace pgod

// ImageStore: where the user's podman keeps its images, and a view of it for a build: the images that the
// build starts from with their layers, and nothing of containers or of other images. The view is a store of
// its own kind (containers-storage.conf(5), additionalimagestores): an index of chosen entries, and
// directories onto which the jail mounts theirs. Runs in the worker, as the service's user.
#pragma once

#include "compose/job.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pgod::compose {

struct ImageStore {
    std::string driver; // "overlay", "vfs"
    std::string root;
    std::string mount_program; // of overlay: fuse-overlayfs; empty: the kernel's
    std::string runtime;       // of containers, absolute
    std::string uids;          // podman's user namespace, as pgod-build takes it
    std::string gids;
};

Result<ImageStore> find_image_store(const Podman& podman);

// Host path → path inside, to be shown in this order.
using Shown = std::vector<std::pair<std::string, std::string>>;

// Makes the view of the images with these ids in "build/images" of the service's directory; `inside` is its
// path in the jail. The view leaves out ids that the store does not have.
Result<Shown> show_images(const Work& work, const ImageStore& store, const std::vector<std::string>& ids,
                          const std::string& inside);

} // namespace pgod::compose

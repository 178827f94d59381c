// Space: is there room for what a deployment writes? Looked at before images are fetched and before files are
// written, on the file systems of the service's directory and of podman's storage, so that a disk which is
// nearly full stops a deployment while nothing is touched and not in the middle of it.
#pragma once

#include "compose/job.hpp"

#include <cstdint>
#include <string>

namespace pgod::compose {

// Left free are 200 MiB, or 2 % of a file system that is smaller than 10 GiB; and 1,000 inodes where they are
// counted.
inline constexpr std::uint64_t least_free = 200 << 20; // bytes
inline constexpr std::uint64_t least_inodes = 1'000;

struct FreeSpace {
    std::uint64_t size = 0; // bytes
    std::uint64_t free = 0; // bytes, for ordinary users
    std::uint64_t inodes = 0;
    std::uint64_t free_inodes = 0;
};
// Left free of a file system of that size; inodes are 0 where they are not counted or few.
struct SpaceReserve {
    std::uint64_t bytes = 0;
    std::uint64_t inodes = 0;
};
SpaceReserve reserve_of(const FreeSpace& space); // pure
// More is left free while a build runs: it writes on until pgod-build has looked and ended it. 100 MiB, or an
// eighth of a file system that is smaller than 800 MiB.
SpaceReserve build_reserve_of(const FreeSpace& space);               // pure
Status judge_space(const FreeSpace& space, const std::string& path); // pure; Code::transient

Status check_files_space(const Work& work);           // of the service's directory
Status check_images_space(const Work& work);          // of podman's storage
Result<SpaceReserve> build_reserve(const Work& work); // of the service's directory
// A build writes into the service's directory, and its image goes into podman's storage, `root`.
Status check_build_space(const Work& work, const std::string& root);

} // namespace pgod::compose

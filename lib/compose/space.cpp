#include "compose/space.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

namespace pgod::compose {

namespace {

FreeSpace space_of(const struct statvfs& found) {
    return {static_cast<std::uint64_t>(found.f_blocks) * found.f_frsize,
            static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize, found.f_files, found.f_favail};
}

Status judge(const FreeSpace& space, const SpaceReserve& reserve, const std::string& path) {
    constexpr std::uint64_t mebi = 1 << 20;
    const auto [wanted, wanted_inodes] = reserve;
    if (space.free < wanted)
        return Error{
            Code::transient,
            fmt::format("the disk is full: {} MiB are free at {}, and a deployment begins with {} or "
                        "more; make room, and it is tried again",
                        space.free / mebi, escaped(path), wanted / mebi)};
    if (space.free_inodes < wanted_inodes)
        return Error{
            Code::transient,
            fmt::format("the disk is full: {} inodes are free at {}, and a deployment begins with {} "
                        "or more; remove files, and it is tried again",
                        space.free_inodes, escaped(path), wanted_inodes)};
    return ok();
}

Status check_space_at(const std::string& path) {
    struct statvfs found {};
    if (::statvfs(path.c_str(), &found) != 0)
        return errno_error("look for free space at " + escaped(path));
    return judge_space(space_of(found), path);
}

} // namespace

SpaceReserve reserve_of(const FreeSpace& space) {
    return {std::min(least_free, space.size / 50), space.inodes > least_inodes * 10 ? least_inodes : 0};
}

SpaceReserve build_reserve_of(const FreeSpace& space) {
    SpaceReserve reserve = reserve_of(space);
    reserve.bytes += std::min<std::uint64_t>(100 << 20, space.size / 8);
    return reserve;
}

Status judge_space(const FreeSpace& space, const std::string& path) {
    return judge(space, reserve_of(space), path);
}

Status check_files_space(const Work& work) {
    struct statvfs found {};
    if (::fstatvfs(work.directory.fd(), &found) != 0)
        return errno_error("look for free space");
    return judge_space(space_of(found), work.directory.path());
}

Result<SpaceReserve> build_reserve(const Work& work) {
    struct statvfs found {};
    if (::fstatvfs(work.directory.fd(), &found) != 0)
        return errno_error("look for free space");
    return build_reserve_of(space_of(found));
}

Status check_images_space(const Work& work) {
    Podman::Call call;
    call.arguments = {"info", "--format", "{{.Store.GraphRoot}}"};
    call.ends_with_us = true;
    const std::string root(
        trimmed(TRY(work.podman.must(call, "ask podman for its storage", Code::transient))));
    return check_space_at(root);
}

Status check_build_space(const Work& work, const std::string& root) {
    struct statvfs found {};
    if (::fstatvfs(work.directory.fd(), &found) != 0)
        return errno_error("look for free space");
    const FreeSpace space = space_of(found);
    TRY(judge(space, build_reserve_of(space), work.directory.path()));
    return check_space_at(root);
}

} // namespace pgod::compose

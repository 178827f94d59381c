#include "git/library.hpp"

#include "git/failure.hpp"
#include "git/stream.hpp"

#include <git2.h>

#include <array>
#include <cstddef>

namespace pgod::git {

namespace {

constexpr std::size_t max_pack_objects = 2'000'000;
// Packs are mapped in windows, so that a large one fits into the job's address space.
constexpr std::size_t window_bytes = std::size_t{32} << 20;
constexpr std::size_t mapped_bytes = std::size_t{128} << 20;

} // namespace

Status start_library() {
    if (const int rc = git_libgit2_init(); rc < 0)
        return git_failure(rc, "start libgit2");
    // Without this, libgit2 remembers the HOME of whoever initialised it, and every job that became another
    // user fails with "failed to stat '/root/.gitconfig'" (libgit2 issues 2122, 4493).
    constexpr std::array levels{GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                GIT_CONFIG_LEVEL_GLOBAL};
    for (const auto level : levels)
        if (const int rc = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, ""); rc < 0)
            return git_failure(rc, "clear libgit2's search paths");
    if (const int rc = git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1); rc < 0)
        return git_failure(rc, "switch owner validation on");
    if (const int rc = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1); rc < 0)
        return git_failure(rc, "switch fsync on");
    if (const int rc = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, max_pack_objects); rc < 0)
        return git_failure(rc, "bound the objects of a pack");
    if (const int rc = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, window_bytes); rc < 0)
        return git_failure(rc, "bound a pack's window");
    if (const int rc = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, mapped_bytes); rc < 0)
        return git_failure(rc, "bound a pack's mapping");
    return start_streams();
}

Status enter_home([[maybe_unused]] const std::string& home) {
#if LIBGIT2_VER_MAJOR > 1 || LIBGIT2_VER_MINOR >= 7
    if (const int rc = git_libgit2_opts(GIT_OPT_SET_HOMEDIR, home.c_str()); rc < 0)
        return git_failure(rc, "set the home directory");
#endif
    return ok();
}

ForeignOwnerAllowed::ForeignOwnerAllowed(bool allowed) noexcept
    : allowed_(allowed) {
    if (allowed_)
        git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

ForeignOwnerAllowed::~ForeignOwnerAllowed() {
    if (allowed_)
        git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
}

} // namespace pgod::git

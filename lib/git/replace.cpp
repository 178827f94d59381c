#include "git/replace.hpp"

#include "base/fd.hpp"
#include "base/handle.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace pgod::git {

namespace {

constexpr int max_depth = 32; // of directories in a repository

std::string old_name_of(const std::string& name) {
    return name + ".old";
}

bool exists(int directory, const std::string& name) {
    struct stat status {};
    return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Status rename_in(int directory, const std::string& from, const std::string& to) {
    if (::renameat(directory, from.c_str(), directory, to.c_str()) != 0)
        return errno_error("rename " + from + " to " + to);
    return ok();
}

// libgit2 names what it has not finished pack_git2_*, tmp_pack_* and tmp_object_*; a finished pack begins
// with "pack-".
bool is_leftover(std::string_view parent, std::string_view name) {
    if (name.ends_with(".lock") || name.starts_with("tmp_"))
        return true;
    return parent == "pack" && !name.starts_with("pack-") && name.find("git2_") != std::string_view::npos;
}

void clear_below(Fd directory, std::string_view name, int depth) {
    const int fd = directory.get();
    const Handle<DIR, ::closedir> listing(::fdopendir(fd));
    if (!listing)
        return;
    (void)directory.release(); // the listing owns it now
    while (const dirent* entry = ::readdir(listing.get())) {
        const std::string_view child = entry->d_name;
        if (child == "." || child == "..")
            continue;
        if (is_leftover(name, child)) {
            ::unlinkat(fd, entry->d_name, 0);
        } else if (entry->d_type == DT_DIR && depth < max_depth) {
            Fd below(::openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (below)
                clear_below(std::move(below), child, depth + 1);
        }
    }
}

} // namespace

std::string fresh_name_of(const std::string& name) {
    return name + ".new";
}

Status replace_directory(int directory, const std::string& name) {
    const auto fresh = fresh_name_of(name);
    const auto old = old_name_of(name);
    if (::renameat2(directory, fresh.c_str(), directory, name.c_str(), RENAME_EXCHANGE) == 0) {
        (void)os::remove_tree(directory, fresh); // the old one now; what stays is a leftover of the next job
    } else if (errno == ENOENT) {
        TRY(rename_in(directory, fresh, name));
    } else { // a file system that cannot exchange; clear_leftovers() puts a crash in between right
        TRY(rename_in(directory, name, old));
        TRY(rename_in(directory, fresh, name));
        (void)os::remove_tree(directory, old);
    }
    ::fsync(directory);
    return ok();
}

Status clear_leftovers(int directory, const std::string& name) {
    if (!exists(directory, name) && exists(directory, old_name_of(name)))
        TRY(rename_in(directory, old_name_of(name), name));
    TRY(os::remove_tree(directory, fresh_name_of(name)));
    return os::remove_tree(directory, old_name_of(name));
}

void clear_repository_leftovers(int directory, const std::string& name) {
    Fd repository(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (repository)
        clear_below(std::move(repository), name, 0);
}

} // namespace pgod::git

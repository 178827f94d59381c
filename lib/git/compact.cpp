#include "git/compact.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "git/failure.hpp"
#include "git/local.hpp"
#include "git/replace.hpp"
#include "git/upstream.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace pgod::git {

namespace {

constexpr const char* size_file = "pgod-size"; // decimal bytes after the last compaction
constexpr int max_depth = 4;                   // objects/pack and objects/XX

struct Size {
    std::size_t packs = 0;
    std::uint64_t bytes = 0;
};

void add_sizes(Fd directory, Size& size, int depth) {
    const int fd = directory.get();
    const Handle<DIR, ::closedir> listing(::fdopendir(fd));
    if (!listing)
        return;
    (void)directory.release();
    while (const dirent* entry = ::readdir(listing.get())) {
        const std::string_view name = entry->d_name;
        struct stat status {};
        if (name == "." || name == ".." || ::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(status.st_mode)) {
            size.bytes += static_cast<std::uint64_t>(status.st_size);
            size.packs += name.ends_with(".pack") ? 1 : 0;
        } else if (S_ISDIR(status.st_mode) && depth < max_depth) {
            add_sizes(Fd(::openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)), size,
                      depth + 1);
        }
    }
}

Size measure(const std::string& repository_path) {
    Size size;
    add_sizes(
        Fd(::open((repository_path + "/objects").c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
        size, 0);
    return size;
}

std::uint64_t recorded_size(const std::string& repository_path) {
    const auto text = os::read_file(fmt::format("{}/{}", repository_path, size_file), 32);
    return text ? parse_decimal(trimmed(*text)).value_or(0) : 0;
}

// Fetches the branch from the repository's own files into `fresh` and looks whether all of the tip came.
Status copy_branch(git_repository* fresh, const std::string& from, const std::string& branch,
                   const std::string& tip) {
    Remote remote;
    if (const int rc = git_remote_create_anonymous(Out(remote), fresh, from.c_str()); rc < 0)
        return git_failure(rc, "compact " + from);
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.prune = GIT_FETCH_NO_PRUNE;
    options.update_fetchhead = 0;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    auto refspec = fmt::format("+{0}:{0}", local_ref_of(branch));
    char* refspecs[] = {refspec.data()};
    const git_strarray list{refspecs, 1};
    if (const int rc = git_remote_fetch(remote.get(), &list, &options, nullptr); rc < 0)
        return git_failure(rc, "compact " + from);
    const auto copied = TRY(read_ref(fresh, local_ref_of(branch)));
    if (copied != tip)
        return Error{Code::internal, fmt::format("compact {}: the tip did not come along", from)};
    const auto commit = TRY(find_commit(fresh, tip));
    Tree tree;
    if (const int rc = git_commit_tree(Out(tree), commit.get()); rc < 0)
        return git_failure(rc, "compact " + from);
    return ok();
}

Status compact(int directory_fd, const std::string& directory, const std::string& branch,
               const std::string& tip) {
    const std::string name = repository_name;
    TRY(clear_leftovers(directory_fd, name));
    {
        const auto fresh = TRY(create_bare(directory, fresh_name_of(name)));
        if (auto copied = copy_branch(fresh.get(), fmt::format("{}/{}", directory, name), branch, tip);
            !copied) {
            (void)clear_leftovers(directory_fd, name);
            return copied;
        }
    }
    record_size(fmt::format("{}/{}", directory, fresh_name_of(name)));
    return replace_directory(directory_fd, name);
}

} // namespace

void record_size(const std::string& repository_path) {
    const auto directory = os::open_directory(repository_path);
    if (directory) // not written: the next compaction comes earlier than it must
        (void)os::write_file_atomically(directory->get(), size_file,
                                        std::to_string(measure(repository_path).bytes), 0600);
}

bool has_grown(const std::string& repository_path) {
    const auto size = measure(repository_path);
    return size.packs > max_packs ||
           size.bytes > std::max(least_compacted_bytes, 2 * recorded_size(repository_path));
}

Status keep_small(const std::string& directory, const std::string& branch) {
    const Fd opened = TRY(os::open_directory(directory));
    const Fd lock = TRY(lock_repository(opened.get()));
    if (!has_grown(fmt::format("{}/{}", directory, repository_name)))
        return ok();
    const auto local = TRY(open_local(directory, branch));
    if (local.tip.empty() || !local.damage.empty())
        return ok(); // for the next sync to repair
    return compact(opened.get(), directory, branch, local.tip);
}

} // namespace pgod::git

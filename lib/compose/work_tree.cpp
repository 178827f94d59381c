#include "compose/work_tree.hpp"

#include "base/text.hpp"
#include "compose/crash_point.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace pgod::compose {

namespace {

constexpr int max_saved = 10'000; // NAME.pgod-saved-1 … -10000
constexpr mode_t directory_mode = 0755;
constexpr std::size_t longest_plain_name = 245; // bytes: 255, a name's bound, less "." and ".pgod-new"

// A name of 255 bytes has no room for ours around it, so a digest (FNV-1a) stands for its end: many long
// names may begin alike.
std::string prepared_name(const std::string& name) {
    if (name.size() <= longest_plain_name)
        return "." + name + ".pgod-new";
    std::uint64_t digest = 0xcbf29ce484222325;
    for (const char c : name)
        digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format(".{}-{:016x}.pgod-new", name.substr(0, longest_plain_name - 20), digest);
}

// Containers and the user write to the work tree while we do: what vanishes there says nothing about the
// commit.
Error as_transient_if_gone(Error error) {
    if (error.code == Code::gone)
        error.code = Code::transient;
    return error;
}

Result<Fd> open_parent(int directory, const std::string& path) {
    const std::string parent = split_path(path).parent;
    return os::open_beneath(directory, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
}

bool exists(int directory, const std::string& name) {
    struct stat status {};
    return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

} // namespace

Result<Fd> make_public_directories(int directory, const std::string& path) {
    Fd current(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
    if (!current)
        return errno_error("duplicate a descriptor");
    if (path.empty())
        return current;
    for (const auto component : split(path, '/')) {
        const std::string name(component);
        const bool made = ::mkdirat(current.get(), name.c_str(), directory_mode) == 0;
        if (!made && errno != EEXIST)
            return errno_error(fmt::format("make directory {}", escaped(path)));
        current = TRY(os::open_beneath(current.get(), name, O_RDONLY | O_DIRECTORY));
        if (made && ::fchmod(current.get(), directory_mode) != 0)
            return errno_error(fmt::format("make directory {}", escaped(path)));
    }
    return current;
}

void remove_prepared(int work_tree, const Tree& tree) {
    for (const auto& entry : tree)
        if (const auto parent = open_parent(work_tree, entry.path))
            (void)::unlinkat(parent->get(), prepared_name(split_path(entry.path).name).c_str(), 0);
}

WorkTreeUpdate::~WorkTreeUpdate() {
    remove_prepared(work_tree_, pending_);
}

bool WorkTreeUpdate::is_ours(const std::string& path) const {
    return std::any_of(known_.begin(), known_.end(), [&](const KnownFiles& known) {
        return find_entry(known.tree, path) != nullptr &&
               same_content(work_tree_, known.directory.get(), path);
    });
}

Status WorkTreeUpdate::keep_aside(int directory, const std::string& name, const std::string& path,
                                  std::string_view why) {
    for (int number = 1; number <= max_saved; ++number) {
        const std::string saved = fmt::format("{}.pgod-saved-{}", name, number);
        if (::renameat2(directory, name.c_str(), directory, saved.c_str(), RENAME_NOREPLACE) == 0) {
            const std::string parent = split_path(path).parent;
            said_.push_back(fmt::format("{} {}; it is kept as {}{}", escaped(path), why,
                                        parent.empty() ? "" : escaped(parent) + "/", escaped(saved)));
            return ok();
        }
        if (errno != EEXIST)
            break;
    }
    return errno_error(fmt::format("keep {} aside", escaped(path)));
}

// A file or a link where the commit needs a directory goes out of the way.
Status WorkTreeUpdate::clear_way(const std::string& path) {
    const std::string parents = split_path(path).parent;
    std::string walked;
    for (const auto component : split(parents, '/')) {
        walked += (walked.empty() ? "" : "/") + std::string(component);
        struct stat status {};
        const auto parent = open_parent(work_tree_, walked);
        if (!parent ||
            ::fstatat(parent->get(), split_path(walked).name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
            return ok();
        if (S_ISDIR(status.st_mode))
            continue;
        const std::string name = split_path(walked).name;
        return keep_aside(parent->get(), name, walked, "stands where the commit has a directory");
    }
    return ok();
}

Status WorkTreeUpdate::write_beside(const TreeEntry& entry, int parent) {
    const std::string prepared = prepared_name(split_path(entry.path).name);
    (void)::unlinkat(parent, prepared.c_str(), 0); // a crash left it
    pending_.push_back(entry);
    TRY(copy_entry(target_, entry, parent, prepared));
    crash_point("file-beside");
    return ok();
}

// What is tracked and will not be any more.
std::set<std::string> WorkTreeUpdate::obsolete() const {
    std::set<std::string> found;
    for (const auto& known : known_)
        for (const auto& entry : known.tree)
            if (find_entry(target_tree_, entry.path) == nullptr && !pinned_.contains(entry.path))
                found.insert(entry.path);
    return found;
}

// The directories that `path` is in, from the top: may a file be put into the last, and are all open to us?
Status WorkTreeUpdate::check_owner(const std::string& path) const {
    const std::string parents = split_path(path).parent;
    for (std::size_t end = 0; end != std::string::npos;) {
        const std::string walked = parents.substr(0, end);
        const auto directory =
            os::open_beneath(work_tree_, walked.empty() ? "." : walked, O_PATH | O_DIRECTORY);
        if (!directory) // to be made, or something else stands there
            return ok();
        const bool last = end == parents.size();
        end = last ? std::string::npos : std::min(parents.find('/', end + 1), parents.size());
        struct stat status {};
        if (::fstat(directory->get(), &status) != 0)
            return errno_error(fmt::format("look at {}", escaped(walked)));
        if (status.st_uid == ::geteuid())
            continue;
        const bool only_owners_remove = (status.st_mode & S_ISVTX) != 0;
        if (::faccessat(directory->get(), "", last ? W_OK | X_OK : X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0 &&
            !(last && only_owners_remove))
            continue;
        const std::string place = TRY(os::path_of(directory->get()));
        return Error{
            Code::transient,
            fmt::format("{}/ of the work tree belongs to uid {}, probably by a container's doing, so that "
                        "{} cannot be changed there; as the service's user, run: podman unshare chown 0 {}",
                        escaped(walked), status.st_uid, escaped(path), escaped(place))};
    }
    return ok();
}

Status WorkTreeUpdate::prepare() {
    if (auto prepared = write_all_beside(); !prepared)
        return as_transient_if_gone(std::move(prepared.error()));
    return ok();
}

Result<std::vector<std::string>> WorkTreeUpdate::apply() {
    if (auto applied = put_all_in_place(); !applied)
        return as_transient_if_gone(std::move(applied.error()));
    return std::move(said_);
}

Status WorkTreeUpdate::write_all_beside() {
    for (const auto& known : known_)
        remove_prepared(work_tree_, known.tree);
    for (const auto& path : obsolete())
        TRY(check_owner(path));
    for (const auto& entry : target_tree_) {
        if (pinned_.contains(entry.path) || same_content(work_tree_, target_, entry.path))
            continue;
        TRY(check_owner(entry.path));
        const auto parent = make_public_directories(work_tree_, split_path(entry.path).parent);
        if (!parent)
            blocked_.push_back(entry); // a file of the old version stands there: its turn comes in apply()
        else
            TRY(write_beside(entry, parent->get()));
    }
    return ok();
}

Status WorkTreeUpdate::place(const TreeEntry& entry) {
    const std::string name = split_path(entry.path).name;
    const Fd parent = TRY(open_parent(work_tree_, entry.path));
    if (exists(parent.get(), name) && !is_ours(entry.path)) {
        const bool tracked = std::any_of(known_.begin(), known_.end(), [&](const KnownFiles& known) {
            return find_entry(known.tree, entry.path) != nullptr;
        });
        TRY(keep_aside(parent.get(), name, entry.path,
                       tracked ? "was changed in the work tree" : "was in the way of a file of the commit"));
    }
    if (::renameat(parent.get(), prepared_name(name).c_str(), parent.get(), name.c_str()) != 0)
        return errno_error(fmt::format("put {} into place", escaped(entry.path)));
    return ok();
}

void WorkTreeUpdate::remove_empty_parents(const std::string& path) {
    for (std::string parent = split_path(path).parent; !parent.empty() && !mounted_.contains(parent);
         parent = split_path(parent).parent) {
        const auto above = open_parent(work_tree_, parent);
        if (!above || ::unlinkat(above->get(), split_path(parent).name.c_str(), AT_REMOVEDIR) != 0)
            return; // not empty: there is data in it
    }
}

Status WorkTreeUpdate::remove(const std::string& path) {
    const auto parent = open_parent(work_tree_, path);
    const std::string name = split_path(path).name;
    if (!parent || !exists(parent->get(), name))
        return ok();
    if (!is_ours(path))
        return keep_aside(parent->get(), name, path,
                          "was changed in the work tree and the commit removes it");
    if (::unlinkat(parent->get(), name.c_str(), 0) != 0)
        return errno_error(fmt::format("remove {}", escaped(path)));
    remove_empty_parents(path);
    return ok();
}

Status WorkTreeUpdate::put_all_in_place() {
    for (const auto& path : obsolete())
        TRY(remove(path));
    crash_point("files-removed");
    for (const auto& entry : blocked_) {
        TRY(clear_way(entry.path));
        const Fd parent = TRY(make_public_directories(work_tree_, split_path(entry.path).parent));
        TRY(write_beside(entry, parent.get()));
    }
    while (!pending_.empty()) {
        TRY(place(pending_.back()));
        crash_point("file-in-place");
        pending_.pop_back();
    }
    return ok();
}

} // namespace pgod::compose

#include "compose/file_tree.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "os/safe_path.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>

namespace pgod::compose {

namespace {

constexpr std::size_t max_entries = 200'000;
constexpr int max_depth = 64;
constexpr int read_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

Status list_beneath(int directory, const std::string& prefix, int depth, Tree& tree) {
    if (depth > max_depth)
        return Error{Code::permanent, fmt::format("{} is nested too deeply", escaped(prefix))};
    const std::unique_ptr<DIR, CloseDirectory> list(
        ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    if (!list)
        return errno_error(fmt::format("list {}", escaped(prefix)));
    while (const dirent* item = ::readdir(list.get())) {
        const std::string name = item->d_name;
        if (name == "." || name == "..")
            continue;
        struct stat status {};
        if (::fstatat(directory, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue; // gone in between
        if (tree.size() >= max_entries)
            return Error{Code::permanent, fmt::format("more than {} files", max_entries)};
        if (S_ISDIR(status.st_mode)) {
            const Fd child = TRY(os::open_beneath(directory, name, O_RDONLY | O_DIRECTORY));
            TRY(list_beneath(child.get(), prefix + name + "/", depth + 1, tree));
        } else if (S_ISREG(status.st_mode)) {
            const bool executable = (status.st_mode & S_IXUSR) != 0;
            tree.push_back({prefix + name, executable ? FileKind::executable : FileKind::file});
        } else if (S_ISLNK(status.st_mode)) {
            tree.push_back({prefix + name, FileKind::link});
        }
    }
    return ok();
}

std::optional<std::string> link_text(int directory, const std::string& name) {
    std::array<char, PATH_MAX> text;
    const ssize_t size = ::readlinkat(directory, name.c_str(), text.data(), text.size());
    if (size < 0)
        return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(size));
}

Result<Fd> open_parent(int directory, const std::string& path) {
    const std::string parent = split_path(path).parent;
    return os::open_beneath(directory, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
}

bool same_link(int one, int other, const std::string& path) {
    const auto first = open_parent(one, path);
    const auto second = open_parent(other, path);
    if (!first || !second)
        return false;
    const std::string name = split_path(path).name;
    const auto text = link_text(first->get(), name);
    return text && text == link_text(second->get(), name);
}

bool same_bytes(int one, int other) {
    std::array<char, 32 << 10> first;
    std::array<char, 32 << 10> second;
    for (off_t offset = 0;;) {
        const ssize_t size = ::pread(one, first.data(), first.size(), offset);
        if (size < 0 || ::pread(other, second.data(), second.size(), offset) != size)
            return false;
        if (size == 0)
            return true;
        if (!std::equal(first.begin(), first.begin() + size, second.begin()))
            return false;
        offset += size;
    }
}

Status copy_bytes(int from, int to) {
    std::array<char, 64 << 10> buffer;
    for (;;) {
        const ssize_t size = ::read(from, buffer.data(), buffer.size());
        if (size == 0)
            return ok();
        if (size < 0)
            return errno_error("read");
        for (ssize_t done = 0; done < size;) {
            const ssize_t part = ::write(to, buffer.data() + done, static_cast<std::size_t>(size - done));
            if (part < 0)
                return errno_error("write");
            done += part;
        }
    }
}

} // namespace

Result<Tree> list_tree(int directory) {
    Tree tree;
    TRY(list_beneath(directory, "", 0, tree));
    std::sort(tree.begin(), tree.end(),
              [](const auto& one, const auto& other) { return one.path < other.path; });
    return tree;
}

const TreeEntry* find_entry(const Tree& tree, const std::string& path) noexcept {
    const auto found =
        std::lower_bound(tree.begin(), tree.end(), path,
                         [](const TreeEntry& entry, const auto& wanted) { return entry.path < wanted; });
    return found != tree.end() && found->path == path ? &*found : nullptr;
}

bool same_content(int one, int other, const std::string& path) {
    const auto first = os::open_beneath(one, path, read_flags);
    const auto second = os::open_beneath(other, path, read_flags);
    if (!first || !second)
        return same_link(one, other, path);
    struct stat first_status {};
    struct stat second_status {};
    if (::fstat(first->get(), &first_status) != 0 || ::fstat(second->get(), &second_status) != 0)
        return false;
    return S_ISREG(first_status.st_mode) && S_ISREG(second_status.st_mode) &&
           first_status.st_size == second_status.st_size &&
           (first_status.st_mode & S_IXUSR) == (second_status.st_mode & S_IXUSR) &&
           same_bytes(first->get(), second->get());
}

Status copy_entry(int from, const TreeEntry& entry, int to, const std::string& name) {
    const std::string doing = fmt::format("write {}", escaped(entry.path));
    if (entry.kind == FileKind::link) {
        const Fd parent = TRY(open_parent(from, entry.path));
        const auto text = link_text(parent.get(), split_path(entry.path).name);
        if (!text || ::symlinkat(text->c_str(), to, name.c_str()) != 0)
            return errno_error(doing);
        return ok();
    }
    const Fd source = TRY(os::open_beneath(from, entry.path, read_flags));
    const Fd target = TRY(os::open_beneath(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY_DOING(copy_bytes(source.get(), target.get()), doing);
    if (::fchmod(target.get(), entry.kind == FileKind::executable ? 0755 : 0644) != 0)
        return errno_error(doing);
    return ok();
}

std::vector<std::string> changed_paths(int one, const Tree& one_tree, int other, const Tree& other_tree) {
    std::vector<std::string> changed;
    for (const auto& entry : one_tree)
        if (find_entry(other_tree, entry.path) == nullptr || !same_content(one, other, entry.path))
            changed.push_back(entry.path);
    for (const auto& entry : other_tree)
        if (find_entry(one_tree, entry.path) == nullptr)
            changed.push_back(entry.path);
    std::sort(changed.begin(), changed.end());
    return changed;
}

SplitPath split_path(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

} // namespace pgod::compose

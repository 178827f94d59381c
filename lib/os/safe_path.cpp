#include "os/safe_path.hpp"

#include "base/text.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <vector>

namespace pgod::os {

namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

Status write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno_error("write");
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return ok();
}

constexpr int max_depth = 200; // of a tree to remove; deeper is nobody's work tree

Status remove_beneath(int directory, const char* name, int depth) {
    if (::unlinkat(directory, name, 0) == 0 || errno == ENOENT)
        return ok();
    if (errno != EISDIR && errno != EPERM)
        return errno_error(fmt::format("remove {}", escaped(name)));
    if (depth > max_depth)
        return Error{Code::permanent, fmt::format("remove {}: nested too deeply", escaped(name))};
    Fd child(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child)
        return errno_error(fmt::format("open {}", escaped(name)));
    const std::unique_ptr<DIR, CloseDirectory> list(::fdopendir(::fcntl(child.get(), F_DUPFD_CLOEXEC, 0)));
    if (!list)
        return errno_error(fmt::format("list {}", escaped(name)));
    while (const dirent* entry = ::readdir(list.get())) {
        const std::string_view entry_name = entry->d_name;
        if (entry_name != "." && entry_name != "..")
            TRY(remove_beneath(child.get(), entry->d_name, depth + 1));
    }
    if (::unlinkat(directory, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return errno_error(fmt::format("remove {}", escaped(name)));
    return ok();
}

} // namespace

bool is_plain_relative_path(std::string_view path) noexcept {
    if (path.empty() || path.find('\0') != std::string_view::npos)
        return false;
    for (const auto component : split(path, '/'))
        if (component.empty() || component == "." || component == "..")
            return false;
    return true;
}

Result<Fd> open_beneath(int directory, const std::string& path, int flags, mode_t mode) {
    if (path != "." && !is_plain_relative_path(path))
        return Error{Code::invalid, fmt::format("{} is not a path beneath its directory", escaped(path))};
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    Fd fd(static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how)));
    if (!fd)
        return errno_error(fmt::format("open {}", escaped(path)));
    return fd;
}

Result<Fd> open_directory(const std::string& absolute_path) {
    Fd fd(::open(absolute_path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd)
        return errno_error(fmt::format("open {}", escaped(absolute_path)));
    return fd;
}

std::string follow_links_of_root(const std::string& absolute_path) {
    constexpr int most_links = 40; // as the kernel
    std::vector<std::string> left; // the next component last
    const auto put = [&left](std::string_view path) {
        const auto components = split(path, '/');
        for (auto one = components.rbegin(); one != components.rend(); ++one)
            if (!one->empty() && *one != ".")
                left.emplace_back(*one);
    };
    put(absolute_path);
    std::string reached;
    bool roots = true; // `reached` and all above it
    for (int links = 0; !left.empty();) {
        struct stat status {};
        roots = roots && ::lstat(reached.empty() ? "/" : reached.c_str(), &status) == 0 &&
                status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
        const std::string name = std::move(left.back());
        left.pop_back();
        if (name == "..") {
            reached.resize(reached.empty() ? 0 : reached.rfind('/'));
            continue;
        }
        const std::string path = reached + "/" + name;
        std::array<char, PATH_MAX> target{};
        const ssize_t size = roots ? ::readlink(path.c_str(), target.data(), target.size()) : -1;
        if (size <= 0 || static_cast<std::size_t>(size) == target.size()) {
            reached = path;
            continue;
        }
        if (++links > most_links)
            return absolute_path;
        const std::string_view text(target.data(), static_cast<std::size_t>(size));
        if (text.front() == '/')
            reached.clear();
        put(text);
    }
    return reached.empty() ? "/" : reached;
}

Result<std::string> path_of(int fd) {
    std::string path(PATH_MAX, '\0');
    const ssize_t size = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size());
    if (size <= 0)
        return errno_error("look where a directory is");
    path.resize(static_cast<std::size_t>(size));
    return path;
}

Result<Fd> make_directories(int directory, const std::string& path, mode_t mode) {
    if (!is_plain_relative_path(path))
        return Error{Code::invalid, fmt::format("{} is not a path beneath its directory", escaped(path))};
    Fd current(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
    if (!current)
        return errno_error("duplicate a descriptor");
    for (const auto component : split(path, '/')) {
        const std::string name(component);
        if (::mkdirat(current.get(), name.c_str(), mode) != 0 && errno != EEXIST)
            return errno_error(fmt::format("make directory {}", escaped(path)));
        current = TRY_DOING(open_beneath(current.get(), name, O_RDONLY | O_DIRECTORY),
                            fmt::format("make directory {}", escaped(path)));
    }
    return current;
}

Status make_own_directory(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) {
        (void)::chmod(path.c_str(), mode); // whatever the umask took
        return ok();
    }
    if (errno != EEXIST)
        return errno_error("make " + path);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
        return Error{Code::invalid, path + " is not a directory"};
    if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
        return Error{Code::denied,
                     path + " must belong to the user that pgod runs as and be writable by nobody else"};
    return ok();
}

Result<std::string> read_file(int fd, std::size_t limit) {
    struct stat status {};
    if (::fstat(fd, &status) != 0)
        return errno_error("look at a file");
    if (!S_ISREG(status.st_mode))
        return Error{Code::invalid, "not a regular file"};
    std::string text;
    text.resize(std::min<std::size_t>(static_cast<std::size_t>(status.st_size), limit) + 1);
    std::size_t used = 0;
    while (used < text.size()) {
        const ssize_t size = ::read(fd, text.data() + used, text.size() - used);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno_error("read");
        if (size == 0)
            break;
        used += static_cast<std::size_t>(size);
        if (used == text.size() && used <= limit) // it grew since fstat
            text.resize(std::min(2 * used, limit + 1));
    }
    if (used > limit)
        return Error{Code::invalid, fmt::format("larger than {} bytes", limit)};
    text.resize(used);
    return text;
}

Result<std::string> read_file_beneath(int directory, const std::string& path, std::size_t limit) {
    const Fd fd = TRY(open_beneath(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    return read_file(fd.get(), limit).context(escaped(path));
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd)
        return errno_error(escaped(path));
    return read_file(fd.get(), limit).context(escaped(path));
}

Status write_file_atomically(int directory, const std::string& name, std::string_view bytes, mode_t mode) {
    if (!is_plain_relative_path(name) || name.find('/') != std::string::npos)
        return Error{Code::invalid, fmt::format("{} is not a file name", escaped(name))};
    const std::string temporary = name + ".new";
    (void)::unlinkat(directory, temporary.c_str(), 0);
    const Fd fd(
        ::openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd)
        return errno_error(fmt::format("write {}", escaped(name)));
    if (auto written = write_all(fd.get(), bytes); !written) {
        (void)::unlinkat(directory, temporary.c_str(), 0);
        return std::move(written).context(escaped(name));
    }
    if (::fsync(fd.get()) != 0 || ::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
        Error error = errno_error(fmt::format("write {}", escaped(name)));
        (void)::unlinkat(directory, temporary.c_str(), 0);
        return error;
    }
    (void)::fsync(directory);
    return ok();
}

Status remove_tree(int directory, const std::string& name) {
    if (!is_plain_relative_path(name) || name.find('/') != std::string::npos)
        return Error{Code::invalid, fmt::format("{} is not a name beneath its directory", escaped(name))};
    return remove_beneath(directory, name.c_str(), 0);
}

} // namespace pgod::os

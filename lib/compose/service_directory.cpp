#include "compose/service_directory.hpp"

#include "compose/crash_point.hpp"
#include "os/safe_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>

namespace pgod::compose {

using namespace std::chrono_literals;

Result<ServiceDirectory> ServiceDirectory::open(const std::string& path) {
    Fd fd = TRY_DOING(os::open_directory(path), "the service's directory");
    // Paths are compared as text further on, and the admin may keep the state behind a link.
    std::string canonical = TRY_DOING(os::path_of(fd.get()), "the service's directory");
    crash_points_of(canonical);
    return ServiceDirectory(std::move(canonical), std::move(fd));
}

Result<Fd> ServiceDirectory::open_directory(const std::string& name) const {
    return os::open_beneath(fd(), name, O_RDONLY | O_DIRECTORY);
}

Result<Fd> ServiceDirectory::make_directory(const std::string& name) const {
    return os::make_directories(fd(), name, 0700);
}

Status ServiceDirectory::remove(const std::string& name) const {
    return os::remove_tree(fd(), name);
}

Status ServiceDirectory::rename(const std::string& from, const std::string& to) const {
    if (::renameat(fd(), from.c_str(), fd(), to.c_str()) != 0)
        return errno_error(fmt::format("rename {} to {}", from, to));
    return ok();
}

Status ServiceDirectory::exchange(const std::string& one, const std::string& other) const {
    if (::renameat2(fd(), one.c_str(), fd(), other.c_str(), RENAME_EXCHANGE) != 0)
        return errno_error(fmt::format("exchange {} and {}", one, other));
    return ok();
}

bool ServiceDirectory::has(const std::string& name) const noexcept {
    struct stat status {};
    return ::fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<Fd> ServiceDirectory::lock(std::chrono::steady_clock::time_point deadline) const {
    Fd file = TRY(os::open_beneath(fd(), "lock", O_RDWR | O_CREAT, 0600));
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno_error("lock the service");
        if (std::chrono::steady_clock::now() >= deadline)
            return Error{Code::timeout, "another deployment or operation of this service is still running"};
        std::this_thread::sleep_for(50ms); // flock has no deadline of its own
    }
    return file;
}

} // namespace pgod::compose

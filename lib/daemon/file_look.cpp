#include "daemon/file_look.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace pgod::daemon {

std::string look_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return "-";
    return fmt::format("{}.{}.{}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                       status.st_mtim.tv_nsec);
}

} // namespace pgod::daemon

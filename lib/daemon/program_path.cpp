#include "daemon/program_path.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace pgod::daemon {

Result<std::string> program_path(std::string_view name) {
    std::array<char, 4096> self{};
    const ssize_t size = ::readlink("/proc/self/exe", self.data(), self.size());
    if (size < 0)
        return errno_error("find our own executable");
    std::string_view directory(self.data(), static_cast<std::size_t>(size));
    directory = directory.substr(0, directory.rfind('/'));
    std::string beside = fmt::format("{}/{}", directory, name);
    if (::access(beside.c_str(), X_OK) == 0)
        return beside;
    std::string installed = fmt::format("{}/{}/{}", directory, PGOD_LIBEXEC, name);
    if (::access(installed.c_str(), X_OK) == 0)
        return installed;
    return Error{Code::gone, fmt::format("{} is neither beside pgod nor in {}/{}; install it again", name,
                                         directory, PGOD_LIBEXEC)};
}

} // namespace pgod::daemon

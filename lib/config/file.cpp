#include "config/file.hpp"

#include "base/fd.hpp"
#include "config/config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace pgod::config {

// O_NONBLOCK, so that a FIFO cannot hang the reader.
Result<ConfigFile> read_config_file(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd)
        return errno_error("cannot be opened");
    ConfigFile file;
    if (::fstat(fd.get(), &file.status) != 0)
        return errno_error("cannot be looked at");
    if (!S_ISREG(file.status.st_mode))
        return Error{Code::invalid, "is not a regular file"};
    if ((file.status.st_mode & S_IWOTH) != 0)
        return Error{Code::denied, "can be written by everyone on this host: chmod o-w it"};
    std::array<char, 16'384> buffer{};
    for (;;) {
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno_error("cannot be read");
        if (got == 0)
            return file;
        file.text.append(buffer.data(), static_cast<std::size_t>(got));
        if (file.text.size() > max_config_bytes)
            return Error{Code::invalid, fmt::format("is larger than {} bytes", max_config_bytes)};
    }
}

} // namespace pgod::config

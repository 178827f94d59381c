#include "base/fd.hpp"
#include "base/text.hpp"
#include "config/config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace pgod {

namespace {

// The file's text and mode, of one open descriptor. O_NONBLOCK, so that a FIFO cannot hang the reader.
struct ConfigFile {
    std::string text;
    struct stat status {};
};

Result<ConfigFile> read_config(const std::string& path) {
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

bool holds_password(const Service& service) {
    return service.repository.redacted() != service.repository.whole().reveal();
}

} // namespace

ConfigReport load_config(const std::string& path) {
    const auto file = read_config(path);
    if (!file) {
        ConfigReport report;
        report.errors.push_back(fmt::format("{}: {}", escaped(path), file.error().message));
        return report;
    }
    auto report = parse_config(file->text, path);
    if (report.config && (file->status.st_mode & S_IROTH) != 0 &&
        std::any_of(report.config->services.begin(), report.config->services.end(), holds_password))
        report.warnings.push_back(fmt::format(
            "{}: can be read by everyone on this host but holds a password: chmod 640 it", escaped(path)));
    return report;
}

} // namespace pgod

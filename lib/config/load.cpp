#include "base/text.hpp"
#include "config/config.hpp"
#include "config/file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace pgod {

namespace {

bool holds_password(const Service& service) {
    return service.repository.redacted() != service.repository.whole().reveal();
}

} // namespace

ConfigReport load_config(const std::string& path) {
    const auto file = config::read_config_file(path);
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

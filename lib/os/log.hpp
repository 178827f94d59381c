// The log: one line per event on standard error, in systemd's priority format when it reads us, with time
// otherwise. Foreign text is escaped here, so a caller cannot forget it. No thread: every role forks.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace pgod::os {

enum class Level { debug, info, warning, error };

void start_log(std::string_view role, bool debug); // "pgod", "pgod-git", …
bool debug_log() noexcept;
void log_line(Level level, std::string_view line);

template<typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
    if (debug_log())
        log_line(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template<typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
    log_line(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template<typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
    log_line(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template<typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
    log_line(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace pgod::os

#include "os/log.hpp"

#include "base/text.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace pgod::os {

namespace {

constexpr std::size_t max_line = 4096; // bytes; what a foreign text may take of the journal

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
    case Level::debug:
        return spdlog::level::debug;
    case Level::info:
        return spdlog::level::info;
    case Level::warning:
        return spdlog::level::warn;
    case Level::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
}

int syslog_priority(Level level) {
    switch (level) {
    case Level::debug:
        return 7;
    case Level::info:
        return 6;
    case Level::warning:
        return 4;
    case Level::error:
        return 3;
    }
    return 3;
}

bool journal_reads_us = false;

} // namespace

void start_log(std::string_view role, bool debug) {
    journal_reads_us = std::getenv("JOURNAL_STREAM") != nullptr;
    auto logger = std::make_shared<spdlog::logger>(std::string(role),
                                                   std::make_shared<spdlog::sinks::stderr_sink_st>());
    logger->set_pattern(journal_reads_us ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %n %l: %v");
    logger->set_level(debug ? spdlog::level::debug : spdlog::level::info);
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

bool debug_log() noexcept {
    return spdlog::default_logger_raw()->should_log(spdlog::level::debug);
}

void log_line(Level level, std::string_view line) {
    const std::string text = escaped(shortened(line, max_line));
    if (journal_reads_us)
        spdlog::log(spdlog_level(level), "<{}>{}", syslog_priority(level), text);
    else
        spdlog::log(spdlog_level(level), "{}", text);
}

} // namespace pgod::os

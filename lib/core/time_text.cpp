#include "core/time_text.hpp"

#include "base/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace pgod::reconcile {

namespace {

using namespace std::chrono;

constexpr auto longest = days{366};
constexpr std::uint64_t most_units = 31'622'400; // seconds of 366 days; more of any unit is too long anyway

std::optional<seconds> duration_of(std::string_view text) {
    if (text.empty())
        return std::nullopt;
    const auto number = parse_decimal(text.substr(0, text.size() - 1));
    if (!number || *number > most_units)
        return std::nullopt;
    const auto count = static_cast<std::int64_t>(*number);
    switch (text.back()) {
    case 's':
        return seconds{count};
    case 'm':
        return minutes{count};
    case 'h':
        return hours{count};
    case 'd':
        return days{count};
    default:
        return std::nullopt;
    }
}

// The decimal digits at `at`; nullopt when there is anything else.
std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
    const auto number = parse_decimal(text.substr(at, count));
    return number ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

std::optional<Time> moment_of(std::string_view text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00Z";
    if (text.size() != shape.size())
        return std::nullopt;
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != '0' && text[i] != shape[i])
            return std::nullopt;
    const auto in_year = digits(text, 0, 4), in_month = digits(text, 5, 2), in_day = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!in_year || !in_month || !in_day || !hour || !minute || !second)
        return std::nullopt;
    const year_month_day date{year{static_cast<int>(*in_year)}, month{*in_month}, day{*in_day}};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59)
        return std::nullopt;
    return sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second};
}

} // namespace

std::string utc_text(Time time) {
    // Not by to_time_t, whose nanoseconds end in the year 2262.
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(floor<seconds>(time).time_since_epoch().count()));
}

Result<Time> parse_until(std::string_view text, Time now) {
    constexpr std::size_t max_shown = 40;
    std::optional<Time> time;
    if (const auto span = duration_of(text))
        time = now + *span;
    else
        time = moment_of(text);
    if (!time)
        return Error{
            Code::invalid,
            fmt::format("\"{}\" is not a time: write 90s, 30m, 2h or 3d, or a time in UTC such as {}",
                        escaped(shortened(text, max_shown)), utc_text(now + hours{2}))};
    if (*time <= now)
        return Error{Code::invalid,
                     fmt::format("{} is not in the future: here it is {}", utc_text(*time), utc_text(now))};
    if (*time > now + longest)
        return Error{Code::invalid, fmt::format("{} is more than a year away: leave --until out, and resume "
                                                "ends the suspension",
                                                utc_text(*time))};
    return *time;
}

Result<milliseconds> parse_span(std::string_view text) {
    const bool plain = !text.empty() && text.back() >= '0' && text.back() <= '9';
    const auto span = duration_of(plain ? std::string(text) + "s" : std::string(text));
    if (!span || *span < seconds{1} || *span > longest)
        return Error{Code::invalid, fmt::format("\"{}\" is no time to wait: write 90s, 30m or 2h",
                                                escaped(shortened(text, 40)))};
    return milliseconds(*span);
}

} // namespace pgod::reconcile

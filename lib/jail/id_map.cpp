#include "jail/jail.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>

namespace pgod::jail {

namespace {

constexpr std::size_t max_ranges = 16;

std::optional<unsigned> number_of(std::string_view text) {
    const auto number = parse_decimal(text);
    if (!number || *number > std::numeric_limits<unsigned>::max())
        return std::nullopt;
    return static_cast<unsigned>(*number);
}

} // namespace

IdMap parse_id_map(const std::string& text) {
    IdMap map;
    for (const auto range : split(text, ',')) {
        const auto parts = split(range, ':');
        if (parts.size() != 3 || map.size() == max_ranges)
            return {};
        const auto inside = number_of(parts[0]);
        const auto outside = number_of(parts[1]);
        const auto count = number_of(parts[2]);
        if (!inside || !outside || !count || *count == 0)
            return {};
        map.push_back({*inside, *outside, *count});
    }
    return map;
}

std::string text_of(const IdMap& map) {
    std::string text;
    for (const auto& range : map)
        text += fmt::format("{}{}:{}:{}", text.empty() ? "" : ",", range.inside, range.outside, range.count);
    return text;
}

} // namespace pgod::jail

#include "core/plan_value.hpp"

#include "base/text.hpp"
#include "core/plan_shapes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgod {

namespace {

constexpr double max_exact = 9e15; // above it, a double does not hold every whole number

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

constexpr std::array<Unit, 4> sizes{
    {{"t", 1ULL << 40}, {"g", 1ULL << 30}, {"m", 1ULL << 20}, {"k", 1ULL << 10}}};
constexpr std::array<Unit, 4> times{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

// A whole number of the unit; nothing where it would have to be rounded.
std::optional<std::uint64_t> times_unit(std::string_view digits, std::uint64_t unit) {
    double number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const double whole = number * static_cast<double>(unit);
    if (failed != std::errc() || end != digits.data() + digits.size() || whole < 0 || whole > max_exact ||
        whole != std::floor(whole))
        return std::nullopt;
    return static_cast<std::uint64_t>(whole);
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

// In the largest unit that needs no fraction.
std::optional<std::string> written_size(std::string_view value) {
    if (!is_size(value))
        return std::nullopt;
    const std::string text = lower(value);
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto letter = std::string_view(text).substr(digits, 1);
    const auto unit =
        std::find_if(sizes.begin(), sizes.end(), [letter](const Unit& one) { return one.name == letter; });
    const auto bytes =
        times_unit(std::string_view(text).substr(0, digits), unit == sizes.end() ? 1 : unit->size);
    if (!bytes)
        return std::nullopt;
    for (const auto& [name, size] : sizes)
        if (*bytes >= size && *bytes % size == 0)
            return std::to_string(*bytes / size).append(name);
    return std::to_string(*bytes);
}

std::optional<std::string> written_duration(std::string_view value) {
    if (!is_duration(value))
        return std::nullopt;
    std::uint64_t all = 0;
    while (!value.empty() && value != "0") {
        const auto digits = std::min(value.find_first_not_of("0123456789."), value.size());
        const auto name =
            value.substr(digits, std::min(value.find_first_of("0123456789.", digits), value.size()) - digits);
        const auto unit =
            std::find_if(times.begin(), times.end(), [name](const Unit& one) { return one.name == name; });
        const auto part =
            unit == times.end() ? std::nullopt : times_unit(value.substr(0, digits), unit->size);
        if (!part)
            return std::nullopt;
        all += *part;
        value.remove_prefix(digits + name.size());
    }
    std::string text;
    for (const auto& [name, size] : times) {
        if (all >= size)
            text.append(std::to_string(all / size)).append(name);
        all %= size;
    }
    return text.empty() ? "0s" : text;
}

std::string without_ending(const std::string& value, std::string_view ending) {
    return value.ends_with(ending) ? value.substr(0, value.size() - ending.size()) : value;
}

std::string written_ulimit(const std::string& value) {
    const auto equals = value.find('=');
    const auto colon = value.find(':');
    if (equals == std::string::npos || colon == std::string::npos || colon < equals)
        return value;
    const std::string_view soft = std::string_view(value).substr(equals + 1, colon - equals - 1);
    return soft == std::string_view(value).substr(colon + 1) ? value.substr(0, colon) : value;
}

} // namespace

std::string canonical_value(const PlanOption& option) {
    const auto& [flag, value] = option;
    if (flag == "--memory" || flag == "--memory-reservation" || flag == "--memory-swap" ||
        flag == "--shm-size")
        return written_size(value).value_or(value);
    if (flag == "--health-interval" || flag == "--health-timeout" || flag == "--health-start-period")
        return written_duration(value).value_or(value);
    if (flag == "--publish" || flag == "--expose")
        return without_ending(value, "/tcp");
    if (flag == "--ulimit")
        return written_ulimit(value);
    if (flag == "--label" && value.find('=') == std::string::npos)
        return value + "=";
    return value;
}

} // namespace pgod

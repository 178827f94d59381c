#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace pgod {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t size = 0; // bytes; 0: these are not UTF-8
};

Character first_character(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) {
        return static_cast<unsigned char>(text[i]);
    };
    const unsigned lead = byte(0);
    if (lead < 0x80)
        return {lead, 1};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
        return {};
    char32_t code = lead & (0xffu >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return {};
        code = code << 6 | (byte(i) & 0x3fu);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return {};
    return {code, size};
}

// Characters that show nothing, or change how others show: Unicode's class Cf, and its line separators.
bool is_format(char32_t code) noexcept {
    struct Range {
        char32_t first, last;
    };
    constexpr Range ranges[] = {{0xad, 0xad},       {0x61c, 0x61c},     {0x180e, 0x180e},  {0x200b, 0x200f},
                                {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},  {0xfff9, 0xfffb},
                                {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [code](const Range& range) { return code >= range.first && code <= range.last; });
}

} // namespace

std::string escaped(std::string_view text, bool keep_layout) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto [code, size] = first_character(text);
        const bool layout = keep_layout && (code == '\n' || code == '\t');
        if (size == 0)
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text.front()));
        else if ((code < 0x20 && !layout) || (code >= 0x7f && code < 0xa0))
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(code));
        else if (is_format(code))
            fmt::format_to(std::back_inserter(out), "\\u{{{:x}}}", static_cast<unsigned>(code));
        else
            out.append(text.substr(0, size));
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out;
}

std::string lowered(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view space = " \t\r\n";
    const auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> fields;
    for (;;) {
        const auto at = text.find(separator);
        fields.push_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return fields;
        text.remove_prefix(at + 1);
    }
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (true) {
        const auto first = text.find_first_not_of(" \t");
        if (first == std::string_view::npos)
            return found;
        text.remove_prefix(first);
        const auto last = std::min(text.find_first_of(" \t"), text.size());
        found.push_back(text.substr(0, last));
        text.remove_prefix(last);
    }
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

namespace {

constexpr std::array<std::int8_t, 256> base64_values() {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}

} // namespace

std::optional<std::string> base64_decoded(std::string_view text) {
    static constexpr auto values = base64_values();
    if (text.empty() || text.size() % 4 != 0)
        return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && text[text.size() - 1 - padding] == '=')
        ++padding;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int value = values[static_cast<unsigned char>(text[i])];
        if (i >= text.size() - padding)
            value = 0;
        if (value < 0)
            return std::nullopt;
        group = group << 6 | static_cast<std::uint32_t>(value);
        if (i % 4 == 3) {
            out.push_back(static_cast<char>(group >> 16 & 0xff));
            out.push_back(static_cast<char>(group >> 8 & 0xff));
            out.push_back(static_cast<char>(group & 0xff));
            group = 0;
        }
    }
    // One spelling per value: the bits that padding leaves over are zero (RFC 4648 section 3.5).
    for (std::size_t i = out.size() - padding; i < out.size(); ++i)
        if (out[i] != '\0')
            return std::nullopt;
    out.resize(out.size() - padding);
    return out;
}

std::string shortened(std::string_view text, std::size_t limit) {
    if (text.size() <= limit)
        return std::string(text);
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
        --limit;
    return std::string(text.substr(0, limit)) + "…";
}

std::string in_quotes(std::string_view text) {
    return '"' + escaped(shortened(text, 100)) + '"';
}

bool is_commit_id(std::string_view text) noexcept {
    return text.size() == 40 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string with_carriage_returns(std::string_view text) {
    std::string result;
    result.reserve(text.size() + 16);
    for (const char c : text) {
        if (c == '\n')
            result += '\r';
        result += c;
    }
    return result;
}

} // namespace pgod

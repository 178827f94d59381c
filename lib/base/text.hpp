// Small text functions shared by everything: pure, no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

// No foreign text can drive a terminal, forge a log line, or show in another order than it stands in. Control
// characters (C0, DEL, C1) and bytes that are not UTF-8 become \xNN, invisible and directional ones \u{NNNN}.
// With keep_layout, newline and tab stay.
std::string escaped(std::string_view text, bool keep_layout = false);

// For a terminal in raw mode: "\r\n" for each "\n".
std::string with_carriage_returns(std::string_view text);

std::string lowered(std::string_view text); // A–Z only

std::string_view trimmed(std::string_view text) noexcept; // spaces, tabs, CR and LF at both ends
std::vector<std::string_view> split(std::string_view text, char separator); // empty fields are kept
std::vector<std::string_view> words(std::string_view text);                 // runs of space and tab separate

// Decimal digits only: no sign, no space, no prefix, no overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept;

// RFC 4648 section 4, padding required, nothing else tolerated.
std::optional<std::string> base64_decoded(std::string_view text);

// At most `limit` bytes of `text`, cut at a UTF-8 boundary, with "…" where something was cut.
std::string shortened(std::string_view text, std::size_t limit);

// A foreign value in a sentence: its first 100 bytes, escaped, between double quotes.
std::string in_quotes(std::string_view text);

bool is_commit_id(std::string_view text) noexcept; // 40 lower-case hexadecimal digits

} // namespace pgod

#include "base/text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace pgod;

TEST_CASE("control characters are escaped, text is not") {
    struct Row {
        std::string text;
        std::string plain;
        std::string with_layout;
    };
    const std::vector<Row> rows{
        {"", "", ""},
        {"miek's ünïcode → ☃", "miek's ünïcode → ☃", "miek's ünïcode → ☃"},
        {"a\nb\tc", "a\\x0ab\\x09c", "a\nb\tc"},
        {"\x1b[2Jx\r\x7f", "\\x1b[2Jx\\x0d\\x7f", "\\x1b[2Jx\\x0d\\x7f"},
        {std::string("a\0b", 3), "a\\x00b", "a\\x00b"},
        {"a\xc2\x9b"
         "2J",
         "a\\x9b2J", "a\\x9b2J"},                  // C1: CSI
        {"caf\xc3\xa9\xc2\xa9", "café©", "café©"}, // U+00A9 begins with 0xc2 as well
        {"end\xc2", "end\\xc2", "end\\xc2"},
        {"a\x9b\xff\xfe", "a\\x9b\\xff\\xfe", "a\\x9b\\xff\\xfe"}, // bytes that are not UTF-8
        {"\xc0\x8a\xe0\x80\x8a", "\\xc0\\x8a\\xe0\\x80\\x8a", "\\xc0\\x8a\\xe0\\x80\\x8a"}, // overlong
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"}, // half of a surrogate pair
        {"a\u202eb\u2066c", "a\\u{202e}b\\u{2066}c", "a\\u{202e}b\\u{2066}c"},
        {"\u200b\u200e\u2028\ufeff", "\\u{200b}\\u{200e}\\u{2028}\\u{feff}",
         "\\u{200b}\\u{200e}\\u{2028}\\u{feff}"},
        {"\U000e0041", "\\u{e0041}", "\\u{e0041}"},
        {"\u2026 \u2603 \U0001f600", "\u2026 \u2603 \U0001f600", "\u2026 \u2603 \U0001f600"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.plain);
        CHECK(escaped(row.text) == row.plain);
        CHECK(escaped(row.text, true) == row.with_layout);
    }
}

TEST_CASE("trim, split, words") {
    using Views = std::vector<std::string_view>;
    CHECK(trimmed("  a b\r\n") == "a b");
    CHECK(trimmed(" \t\r\n").empty());
    CHECK(trimmed("").empty());
    CHECK(split("a,,b,", ',') == Views{"a", "", "b", ""});
    CHECK(split("", ',') == Views{""});
    CHECK(words("  a \t b ") == Views{"a", "b"});
    CHECK(words(" \t").empty());
}

TEST_CASE("decimal numbers are digits and nothing else") {
    CHECK(parse_decimal("0") == 0U);
    CHECK(parse_decimal("0080") == 80U);
    CHECK(parse_decimal("18446744073709551615") == UINT64_MAX);
    for (const auto* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616", "١"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_decimal(text).has_value());
    }
}

TEST_CASE("base64 has one spelling per value") {
    CHECK(base64_decoded("aGVsbG8h") == "hello!");
    CHECK(base64_decoded("aGVsbG8=") == "hello");
    CHECK(base64_decoded("aGVsbA==") == "hell");
    CHECK(base64_decoded("+/+/")->size() == 3);
    for (const auto* text : {"", "aGVsbG8", "aGVsbG8h\n", "aGVs bG8", "a===", "====", "aG=sbG8h",
                             "aGVsbG9=", "aGVsbB==", "aGVsbG8-", "=aGVsbG8"}) {
        CAPTURE(text);
        CHECK_FALSE(base64_decoded(text).has_value());
    }
}

TEST_CASE("text is cut between characters") {
    CHECK(shortened("hello", 5) == "hello");
    CHECK(shortened("hello", 4) == "hell…");
    CHECK(shortened("aé☃b", 2) == "a…");
    CHECK(shortened("aé☃b", 3) == "aé…");
    CHECK(shortened("aé☃b", 5) == "aé…");
    CHECK(shortened("☃", 0) == "…");
}

TEST_CASE("ASCII letters become lower-case and no other byte changes") {
    CHECK(lowered("AbZ-[@`{É") == "abz-[@`{É");
    CHECK(lowered("") == "");
}

TEST_CASE("commit ids") {
    CHECK(is_commit_id("0123456789abcdef0123456789abcdef01234567"));
    CHECK_FALSE(is_commit_id("0123456789ABCDEF0123456789abcdef01234567"));
    CHECK_FALSE(is_commit_id("0123456789abcdef0123456789abcdef0123456"));
    CHECK_FALSE(is_commit_id(""));
}

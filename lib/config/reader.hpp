// Reading one TOML table: each setting by name and type, every complaint with its place. Private to this
// folder; the only header that brings in toml++ (header-only, without exceptions).
#pragma once

// toml++ 3.3.0 asserts that a table header begins with a key, and handles "[=" right behind the assertion. An
// assertion would end the daemon on a half-written file; with NDEBUG it becomes an assumption, which lets the
// compiler drop the handling. So it gets neither.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include "base/result.hpp"

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::config {

// What is wrong or doubtful, and where; sorted when it is taken.
class Complaints {
  public:
    void add(const toml::source_region& where, std::string sentence);
    bool empty() const noexcept { return list_.empty(); }
    // "FILE:LINE:COLUMN: sentence", in the order of the file, at most max_config_errors.
    std::vector<std::string> take(std::string_view file_name) &&;

  private:
    struct Complaint {
        toml::source_index line;
        toml::source_index column;
        std::string sentence;
    };
    std::vector<Complaint> list_;
};

class TableReader {
  public:
    TableReader(const toml::table& table, Complaints& errors)
        : table_(table)
        , errors_(errors) {}

    // Complains about every key that is not in `known`; one of `elsewhere` is said to belong `where`.
    void check_keys(std::span<const std::string_view> known, std::span<const std::string_view> elsewhere,
                    std::string_view where) const;

    // A string, through `parse` into `value`. Whether it was there and good.
    template<typename T, typename Parse>
    bool text(std::string_view key, Parse parse, T& value) const {
        const auto* node = string_node(key);
        if (node == nullptr)
            return false;
        auto parsed = parse(std::string_view(**node));
        if (!parsed)
            errors_.add(node->source(), std::string(key) + ' ' + parsed.error().message);
        else
            value = std::move(*parsed);
        return parsed.has_value();
    }
    // As text(), and complains when it is missing.
    template<typename T, typename Parse>
    void required_text(std::string_view key, std::string_view example, Parse parse, T& value) const {
        if (!table_.contains(key))
            complain_missing(key, example);
        else
            text(key, parse, value);
    }
    void boolean(std::string_view key, bool& value) const;

    // An array of strings: `each` gets the entries in order; an error it returns is complained about there.
    // Whether the key was there.
    using Each = std::function<Status(std::string_view)>;
    bool texts(std::string_view key, const Each& each) const;
    // A table of strings: `each` gets key and value.
    using EachPair = std::function<Status(std::string_view, std::string_view)>;
    void text_pairs(std::string_view key, const EachPair& each) const;

    const toml::table& table() const noexcept { return table_; }
    void complain(std::string_view key, std::string sentence) const; // at the setting's value, or the table

  private:
    const toml::value<std::string>* string_node(std::string_view key) const;
    void complain_missing(std::string_view key, std::string_view example) const;

    const toml::table& table_;
    Complaints& errors_;
};

// "a string", "an integer": how a message calls what somebody wrote.
std::string_view type_name(const toml::node& node);

} // namespace pgod::config

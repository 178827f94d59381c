#include "config/reader.hpp"

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace pgod::config {

void Complaints::add(const toml::source_region& where, std::string sentence) {
    list_.push_back({where.begin.line, where.begin.column, std::move(sentence)});
}

std::vector<std::string> Complaints::take(std::string_view file_name) && {
    std::stable_sort(list_.begin(), list_.end(), [](const Complaint& a, const Complaint& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    std::vector<std::string> lines;
    for (const auto& [line, column, sentence] : list_) {
        if (lines.size() == max_config_errors) {
            lines.push_back(
                fmt::format("{}: {} more are left out", escaped(file_name), list_.size() - lines.size()));
            break;
        }
        lines.push_back(fmt::format("{}:{}:{}: {}", escaped(file_name), line, column, sentence));
    }
    return lines;
}

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::table:
        return "a table";
    case toml::node_type::array:
        return "an array";
    case toml::node_type::string:
        return "a string";
    case toml::node_type::integer:
        return "an integer";
    case toml::node_type::floating_point:
        return "a float";
    case toml::node_type::boolean:
        return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
        return "a date or time";
    case toml::node_type::none:
        break;
    }
    return "nothing";
}

void TableReader::check_keys(std::span<const std::string_view> known,
                             std::span<const std::string_view> elsewhere, std::string_view where) const {
    for (const auto& [key, node] : table_) {
        const auto name = key.str();
        if (std::find(known.begin(), known.end(), name) != known.end())
            continue;
        const auto shown = escaped(shortened(name, 60));
        if (std::find(elsewhere.begin(), elsewhere.end(), name) != elsewhere.end()) {
            errors_.add(key.source(), fmt::format("\"{}\" {}", shown, where));
            continue;
        }
        const auto meant = nearest(name, known);
        errors_.add(key.source(),
                    fmt::format("unknown setting \"{}\"{}", shown,
                                meant.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", meant)));
    }
}

const toml::value<std::string>* TableReader::string_node(std::string_view key) const {
    const auto* node = table_.get(key);
    if (node == nullptr)
        return nullptr;
    if (!node->is_string())
        errors_.add(node->source(),
                    fmt::format("{} must be a string in quotes, not {}", key, type_name(*node)));
    return node->as_string();
}

void TableReader::complain_missing(std::string_view key, std::string_view example) const {
    errors_.add(table_.source(), fmt::format("{} is missing: add {} = \"{}\"", key, key, example));
}

void TableReader::complain(std::string_view key, std::string sentence) const {
    const auto* node = table_.get(key);
    errors_.add(node == nullptr ? table_.source() : node->source(), std::move(sentence));
}

void TableReader::boolean(std::string_view key, bool& value) const {
    const auto* node = table_.get(key);
    if (node == nullptr)
        return;
    if (const auto* boolean = node->as_boolean())
        value = boolean->get();
    else
        errors_.add(node->source(), fmt::format("{} must be true or false, not {}", key, type_name(*node)));
}

void TableReader::integer(std::string_view key, unsigned least, unsigned most, unsigned& value) const {
    const auto* node = table_.get(key);
    if (node == nullptr)
        return;
    const auto* integer = node->as_integer();
    if (integer == nullptr)
        errors_.add(node->source(), fmt::format("{} must be a number from {} to {}, not {}", key, least, most,
                                                type_name(*node)));
    else if (integer->get() < least || integer->get() > most)
        errors_.add(node->source(),
                    fmt::format("{} must be from {} to {}, not {}", key, least, most, integer->get()));
    else
        value = static_cast<unsigned>(integer->get());
}

bool TableReader::texts(std::string_view key, const Each& each) const {
    const auto* node = table_.get(key);
    if (node == nullptr)
        return false;
    const auto* array = node->as_array();
    if (array == nullptr) {
        errors_.add(node->source(), fmt::format("{} must be an array of strings such as [ \"…\" ], not {}",
                                                key, type_name(*node)));
        return true;
    }
    for (const auto& entry : *array) {
        const auto* text = entry.as_string();
        if (text == nullptr) {
            errors_.add(entry.source(),
                        fmt::format("{} must hold strings only, not {}", key, type_name(entry)));
            continue;
        }
        if (const auto status = each(text->get()); !status)
            errors_.add(entry.source(), fmt::format("{} {}", key, status.error().message));
    }
    return true;
}

void TableReader::text_pairs(std::string_view key, const EachPair& each, std::string_view example) const {
    const auto* node = table_.get(key);
    if (node == nullptr)
        return;
    const auto* table = node->as_table();
    if (table == nullptr) {
        errors_.add(node->source(), fmt::format("{} must be a table of strings such as {}, not {}", key,
                                                example, type_name(*node)));
        return;
    }
    for (const auto& [name, value] : *table) {
        const auto* text = value.as_string();
        if (text == nullptr) {
            const auto* hint = value.is_table() ? ": put a name with dots in quotes" : "";
            errors_.add(value.source(),
                        fmt::format("{} must hold strings only, not {}{}", key, type_name(value), hint));
            continue;
        }
        if (const auto status = each(name.str(), text->get()); !status)
            errors_.add(value.source(), fmt::format("{} {}", key, status.error().message));
    }
}

} // namespace pgod::config

// NAME=value, in the configuration (`env`) and in a file of its own (`env_file`).
#include "base/text.hpp"
#include "config/config.hpp"
#include "config/values.hpp"
#include "core/variable_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace pgod {

namespace config {

Result<std::string> parse_env(std::string_view text) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, std::min(equals, text.size()));
    if (equals == std::string_view::npos || !is_variable_name(name)) // not repeated: it may be a value
        return Error{Code::invalid, "must be NAME=value, the NAME of letters, digits and \"_\""};
    if (text.find('\0') != std::string_view::npos)
        return Error{Code::invalid, std::string(name) + " must not hold NUL"};
    if (const auto because = reserved_because(name))
        return Error{Code::invalid, "must not set " + std::string(name) + ": " + std::string(*because)};
    return std::string(name);
}

} // namespace config

Result<std::vector<Secret>> parse_env_file(std::string_view text) {
    std::vector<Secret> variables;
    std::set<std::string> names;
    std::size_t number = 0;
    for (auto line : split(text, '\n')) {
        ++number;
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (trimmed(line).empty() || line.starts_with('#'))
            continue;
        auto name = TRY_DOING(config::parse_env(line), fmt::format("line {}", number));
        if (names.contains(name))
            return Error{Code::invalid, fmt::format("line {}: sets {} twice", number, name)};
        names.insert(std::move(name));
        variables.emplace_back(std::string(line));
    }
    return variables;
}

} // namespace pgod

#include "core/dns_name.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace pgod {

namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;
constexpr std::string_view wildcard = "*.";

bool is_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= longest_label && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

} // namespace

std::optional<std::string> dns_name(std::string_view text) {
    if (text.size() > longest_name)
        return std::nullopt;
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const auto labels = split(name, '.');
    if (!std::all_of(labels.begin(), labels.end(), is_label))
        return std::nullopt;
    return name;
}

std::optional<std::string> dns_name_or_wildcard(std::string_view text) {
    if (!text.starts_with(wildcard))
        return dns_name(text);
    const auto name = dns_name(text.substr(wildcard.size()));
    if (!name || name->size() + wildcard.size() > longest_name)
        return std::nullopt;
    return std::string(wildcard) + *name;
}

bool is_covered_by(std::string_view name, std::string_view name_or_wildcard) noexcept {
    if (!name_or_wildcard.starts_with(wildcard))
        return name == name_or_wildcard;
    const auto dot = name.find('.');
    return dot != std::string_view::npos && dot != 0 && name.substr(0, dot) != "*" &&
           name.substr(dot + 1) == name_or_wildcard.substr(wildcard.size());
}

std::optional<std::string> wildcard_above(std::string_view name) {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos || name.find('.', dot + 1) == std::string_view::npos)
        return std::nullopt;
    return std::string(wildcard) + std::string(name.substr(dot + 1));
}

} // namespace pgod

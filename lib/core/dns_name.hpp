// DNS names as they stand in `urls`, `domains` and a repository's x-pgo: letters, digits and hyphens (RFC
// 1123), in lower case, at most 253 bytes. Nothing else ever reaches a proxy's configuration. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgod {

// In lower case; nullopt: not a DNS name.
std::optional<std::string> dns_name(std::string_view text);

// As dns_name(), or "*." before one: every name with one label in its place, as in a certificate.
std::optional<std::string> dns_name_or_wildcard(std::string_view text);

// Is `name` that name, or one label beneath the wildcard? Both as the functions above give them.
bool is_covered_by(std::string_view name, std::string_view name_or_wildcard) noexcept;

// The wildcard that covers it and is worth a suggestion: one above at least two labels.
std::optional<std::string> wildcard_above(std::string_view name);

} // namespace pgod

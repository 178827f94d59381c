// Which environment variables an admin or a secret may set. What they hold reaches podman-compose or podman's
// own environment; a name that steers those programs, their libraries or where they keep things would undo
// what pgod fixes for them.
#pragma once

#include <optional>
#include <string_view>

namespace pgod {

bool is_variable_name(std::string_view name) noexcept; // [A-Za-z_][A-Za-z0-9_]*, at most 128

// Why it must not be set: "it changes how programs are loaded"; nullopt: it may be.
std::optional<std::string_view> reserved_because(std::string_view name) noexcept;

} // namespace pgod

// Lexical paths: what a path means as text, before anything looks at the file system. Pure. That no link
// leads elsewhere is proven where the path is opened (os/safe_path), never here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgod {

// Absolute `path` as it is, relative `path` beneath absolute `base`; "//", "." and ".." are resolved as text.
// Nothing when a ".." leads above the root, or when `base` is needed and is not absolute.
std::optional<std::string> lexical_path(std::string_view base, std::string_view path);

bool has_dot_dot(std::string_view path); // a ".." component anywhere

// `path` is `directory` or lies beneath it; both absolute and without "." or "..".
bool is_at_or_beneath(std::string_view path, std::string_view directory) noexcept;

} // namespace pgod

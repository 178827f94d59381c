#include "core/paths.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <vector>

namespace pgod {

namespace {

bool is_absolute(std::string_view path) noexcept {
    return path.starts_with('/');
}

std::string_view without_end_slash(std::string_view directory) noexcept {
    while (directory.ends_with('/'))
        directory.remove_suffix(1);
    return directory;
}

} // namespace

std::optional<std::string> lexical_path(std::string_view base, std::string_view path) {
    std::string whole;
    if (!is_absolute(path)) {
        if (!is_absolute(base))
            return std::nullopt;
        whole.append(base).push_back('/');
    }
    whole.append(path);
    std::vector<std::string_view> kept;
    for (const auto component : split(whole, '/')) {
        if (component.empty() || component == ".")
            continue;
        if (component != "..") {
            kept.push_back(component);
        } else if (kept.empty()) {
            return std::nullopt;
        } else {
            kept.pop_back();
        }
    }
    std::string out;
    for (const auto component : kept)
        out.append("/").append(component);
    return out.empty() ? "/" : out;
}

bool has_dot_dot(std::string_view path) {
    const auto components = split(path, '/');
    return std::find(components.begin(), components.end(), "..") != components.end();
}

bool is_at_or_beneath(std::string_view path, std::string_view directory) noexcept {
    if (!is_absolute(path) || !is_absolute(directory))
        return false;
    directory = without_end_slash(directory);
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

} // namespace pgod

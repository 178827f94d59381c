#include "core/image_name.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace pgod {

namespace {

constexpr std::string_view docker_hub = "docker.io/";
constexpr std::string_view former_docker_hub = "index.docker.io/";
constexpr std::string_view official = "library/";

// Of the reference grammar: runs of a–z and 0–9 with ".", "_", "__" or any number of "-" between them.
bool is_path_component(std::string_view text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (;;) {
        const auto run = std::min(text.find_first_not_of(letters), text.size());
        text.remove_prefix(run);
        if (run == 0 || text.empty())
            return run != 0;
        const auto separator = text.substr(0, text.find_first_of(letters));
        if (separator != "." && separator != "_" && separator != "__" &&
            separator.find_first_not_of('-') != std::string_view::npos)
            return false;
        text.remove_prefix(separator.size());
    }
}

bool is_path(std::string_view image) {
    const auto components = split(image, '/');
    return std::all_of(components.begin(), components.end(), is_path_component);
}

} // namespace

bool names_a_registry(std::string_view image) {
    const auto slash = image.find('/');
    if (slash == std::string_view::npos)
        return false;
    const auto first = image.substr(0, slash);
    return first.find_first_of(".:") != std::string_view::npos || first == "localhost";
}

std::string completed_image(std::string_view image) {
    std::string_view path = image;
    if (image.starts_with(docker_hub))
        path.remove_prefix(docker_hub.size());
    else if (image.starts_with(former_docker_hub))
        path.remove_prefix(former_docker_hub.size());
    else if (names_a_registry(image))
        return std::string(image);
    std::string completed(docker_hub);
    if (path.find('/') == std::string_view::npos)
        completed += official;
    return completed.append(path);
}

bool is_kept_by_pgod(std::string_view image) {
    return image.starts_with("localhost/pgod/") || image.starts_with("pgod/");
}

std::string image_of_this_host(std::string_view image) {
    return std::string("localhost/").append(image);
}

std::string_view without_tag(std::string_view image) {
    image = image.substr(0, image.find('@'));
    const auto slash = image.rfind('/');
    const auto colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
    return image.substr(0, colon);
}

std::string with_default_tag(std::string image) {
    if (without_tag(image).size() == image.size())
        image += ":latest";
    return image;
}

std::string registries_conf(const std::map<std::string, std::string>& meanings) {
    std::string text = "unqualified-search-registries = [\"docker.io\"]\n[aliases]\n";
    for (const auto& [name, meaning] : meanings)
        if (is_path(name))
            text.append("\"").append(name).append("\" = \"").append(meaning).append("\"\n");
    return text;
}

} // namespace pgod

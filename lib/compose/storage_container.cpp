#include "compose/storage_container.hpp"

#include "compose/json.hpp"

#include <algorithm>

namespace pgod::compose {

namespace {

// podman's own word, in the place of a command (pkg/ps/ps.go); of one that is being built with it is
// "buildah".
constexpr auto only_in_storage = "storage";

std::string id_of(const Json& list, const std::string& name) {
    if (!list.is_array())
        return {};
    for (const auto& item : list) {
        const auto names = texts_of(item, "Names");
        if (texts_of(item, "Command") == std::vector<std::string>{only_in_storage} &&
            std::find(names.begin(), names.end(), name) != names.end())
            return text_of(item, "Id");
    }
    return {};
}

} // namespace

bool remove_storage_container(const Podman& podman, const std::string& name) {
    Podman::Call look;
    look.arguments = {"ps", "--all", "--external", "--format", "json"};
    look.ends_with_us = true;
    const auto listed = podman.must(look, "look at podman's storage");
    const std::string id = listed ? id_of(parse_json(*listed), name) : std::string();
    if (id.empty())
        return false;
    Podman::Call remove;
    remove.arguments = {"rm", "--force", id};
    return podman.must(remove, "remove what is left in podman's storage").has_value();
}

} // namespace pgod::compose

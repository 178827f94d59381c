#include "core/object_names.hpp"

#include "core/allowance.hpp"

#include <algorithm>

namespace pgod {

std::string_view owner_by_name(std::string_view object) noexcept {
    const auto end = object.find('_');
    return end == std::string_view::npos ? std::string_view() : object.substr(0, end);
}

namespace {

template<typename Wanted>
std::vector<std::string> names_of(const Service& service, std::span<const Service> services, std::size_t most,
                                  Wanted is_wanted) {
    constexpr std::size_t count_in_frame = 4;
    std::vector<std::string> names;
    std::size_t bytes = 0;
    for (const auto& other : services) {
        if (other.name == service.name || other.user != service.user || !is_wanted(other))
            continue;
        bytes += other.name.size() + count_in_frame;
        if (bytes > most)
            break;
        names.push_back(other.name);
    }
    return names;
}

} // namespace

std::vector<std::string> neighbours_of(const Service& service, std::span<const Service> services) {
    return names_of(service, services, max_neighbour_bytes, [](const Service&) { return true; });
}

std::vector<std::string> nesting_neighbours_of(const Service& service, std::span<const Service> services) {
    return names_of(service, services, max_neighbour_bytes / 4, [](const Service& other) {
        return std::find(other.allow.begin(), other.allow.end(), allow_nested_binds) != other.allow.end();
    });
}

} // namespace pgod

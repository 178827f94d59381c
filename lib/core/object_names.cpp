#include "core/object_names.hpp"

namespace pgod {

std::string_view owner_by_name(std::string_view object) noexcept {
    const auto end = object.find('_');
    return end == std::string_view::npos ? std::string_view() : object.substr(0, end);
}

std::vector<std::string> neighbours_of(const Service& service, std::span<const Service> services) {
    constexpr std::size_t count_in_frame = 4;
    std::vector<std::string> neighbours;
    std::size_t bytes = 0;
    for (const auto& other : services) {
        if (other.name == service.name || other.user != service.user)
            continue;
        bytes += other.name.size() + count_in_frame;
        if (bytes > max_neighbour_bytes)
            break;
        neighbours.push_back(other.name);
    }
    return neighbours;
}

} // namespace pgod

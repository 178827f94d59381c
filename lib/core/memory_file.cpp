#include "core/memory_file.hpp"

#include "core/plan_shapes.hpp"

#include <charconv>

namespace pgod {

namespace {

bool is_id(std::string_view text) noexcept {
    return is_number(text) && text.size() <= 9;
}

std::optional<unsigned> mode_in(std::string_view text) {
    unsigned mode = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (failed != std::errc() || end != text.data() + text.size() || mode > 0777)
        return std::nullopt;
    return mode;
}

std::optional<MemoryFile> read(std::string_view value) {
    const auto next = [&value] {
        const auto end = std::min(value.find(':'), value.size());
        const auto field = value.substr(0, end);
        value.remove_prefix(std::min(end + 1, value.size()));
        return field;
    };
    MemoryFile file;
    file.target = next();
    const auto uid = next(), gid = next();
    const auto mode = mode_in(next());
    const bool of_image = uid.empty() && gid.empty();
    if (!is_container_path(file.target) || !(of_image || (is_id(uid) && is_id(gid))) || !mode)
        return std::nullopt;
    if (!of_image)
        file.owner = std::string(uid).append(":").append(gid);
    file.mode = *mode;
    file.text = value;
    return file;
}

} // namespace

bool is_memory_file(std::string_view value) {
    return read(value).has_value();
}

std::optional<MemoryFile> memory_file_of(const PlanOption& option) {
    return option.flag == memory_file_flag ? read(option.value) : std::nullopt;
}

} // namespace pgod

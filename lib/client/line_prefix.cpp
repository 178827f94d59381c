#include "client/line_prefix.hpp"

#include <utility>

namespace pgod::client {

std::string LinePrefix::take(std::string_view bytes) {
    std::string lines;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto part = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
        bytes.remove_prefix(part.size());
        held_ += part;
        if (end != std::string_view::npos || held_.size() >= max_held)
            lines += rest();
    }
    return lines;
}

std::string LinePrefix::rest() {
    if (held_.empty())
        return {};
    std::string line = prefix_ + std::exchange(held_, {});
    if (!line.ends_with('\n'))
        line += '\n';
    return line;
}

} // namespace pgod::client

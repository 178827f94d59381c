#include "core/http_request.hpp"

#include <algorithm>

namespace pgod {

namespace {

constexpr std::size_t max_method = 16;

bool is_method_letter(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z';
}

bool is_target_letter(char letter) noexcept {
    return letter > ' ' && letter < '\x7f';
}

bool begins_like_a_method(std::string_view received) noexcept {
    const auto method = received.substr(0, received.find(' '));
    return method.size() <= max_method && !received.starts_with(' ') &&
           std::all_of(method.begin(), method.end(), is_method_letter);
}

bool is_version(std::string_view text) noexcept {
    return text == "HTTP/1.1" || text == "HTTP/1.0";
}

} // namespace

HttpRequest read_http_request(std::string_view received) noexcept {
    using Reading = HttpRequest::Reading;
    if (!begins_like_a_method(received))
        return {Reading::malformed};
    const auto fields_end = received.find("\r\n\r\n");
    const bool large = fields_end == std::string_view::npos ? received.size() >= max_http_request
                                                            : fields_end > max_http_request - 4;
    const auto line_end = received.find("\r\n");
    if (line_end == std::string_view::npos)
        return {large ? Reading::too_large : Reading::incomplete};
    const auto line = received.substr(0, line_end);
    const auto first = line.find(' ');
    const auto second = line.rfind(' ');
    if (first == second || first == std::string_view::npos || !is_version(line.substr(second + 1)))
        return {Reading::malformed};
    const auto target = line.substr(first + 1, second - first - 1);
    if (!target.starts_with('/') || !std::all_of(target.begin(), target.end(), is_target_letter))
        return {Reading::malformed};
    if (large)
        return {Reading::too_large};
    if (fields_end == std::string_view::npos)
        return {Reading::incomplete};
    if (line.substr(0, first) != "GET")
        return {Reading::other_method};
    return {Reading::asked, target.substr(0, target.find('?'))};
}

} // namespace pgod

// A request of HTTP/1, as far as pgod-metrics reads it: the method and the path. Fields are awaited and not
// looked at; a body is never awaited.
#pragma once

#include <cstddef>
#include <string_view>

namespace pgod {

inline constexpr std::size_t max_http_request = 4096; // bytes of the request line and its fields

struct HttpRequest {
    enum class Reading {
        incomplete,
        malformed,    // 400
        other_method, // 405
        too_large,    // 431
        asked,
    };
    Reading reading = Reading::incomplete;
    std::string_view path = {}; // without the query; of one that asked, and within what was received
};

// What was received so far. A line that cannot become a request is malformed before it ends.
HttpRequest read_http_request(std::string_view received) noexcept;

} // namespace pgod

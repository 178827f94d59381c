// What an HTTP client sends to pgod-metrics.
#include "target.hpp"

#include "core/http_request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pgod;
    const auto received = fuzz::text_of(data, size);
    const auto request = read_http_request(received);
    if (request.reading == HttpRequest::Reading::asked) {
        fuzz::require(request.path.starts_with('/') && request.path.find('?') == std::string_view::npos);
        fuzz::require(request.path.data() >= received.data() &&
                      request.path.data() + request.path.size() <= received.data() + max_http_request);
    }
    // What is read once the bound is reached is judged: nobody is waited for longer.
    if (size >= max_http_request)
        fuzz::require(request.reading != HttpRequest::Reading::incomplete);
    return 0;
}

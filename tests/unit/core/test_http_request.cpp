#include "core/http_request.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgod;
using Reading = HttpRequest::Reading;

namespace {

HttpRequest read(std::string_view text) {
    return read_http_request(text);
}

} // namespace

TEST_CASE("what is asked for, and what is no request") {
    struct Row {
        std::string received;
        Reading reading;
        std::string path = {};
    };
    const std::string end = "\r\n\r\n";
    const Row rows[] = {
        {"GET /metrics HTTP/1.1" + end, Reading::asked, "/metrics"},
        {"GET /metrics HTTP/1.0" + end, Reading::asked, "/metrics"},
        {"GET /metrics?name[]=up HTTP/1.1" + end, Reading::asked, "/metrics"},
        {"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*" + end, Reading::asked, "/"},
        {"GET /a HTTP/1.1" + end + "GET /b HTTP/1.1" + end, Reading::asked, "/a"},
        {"POST /metrics HTTP/1.1" + end, Reading::other_method},
        {"HEAD /metrics HTTP/1.1" + end, Reading::other_method},
        {"", Reading::incomplete},
        {"G", Reading::incomplete},
        {"GET /metrics HTTP/1.1\r\n", Reading::incomplete},
        {"GET /metrics HTTP/1.1\r\nHost: a\r\n", Reading::incomplete},
        {"GET /metrics HTTP/1.1\n\n", Reading::incomplete},
        {" GET /metrics HTTP/1.1" + end, Reading::malformed},
        {"get /metrics HTTP/1.1" + end, Reading::malformed},
        {"\x16\x03\x01\x02", Reading::malformed}, // TLS
        {"SSH-2.0-OpenSSH_9.2", Reading::malformed},
        {"ABCDEFGHIJKLMNOPQ", Reading::malformed},
        {"GET /metrics HTTP/2" + end, Reading::malformed},
        {"GET /metrics" + end, Reading::malformed},
        {"GET  HTTP/1.1" + end, Reading::malformed},
        {"GET /a b HTTP/1.1" + end, Reading::malformed},
        {"GET /a\x01 HTTP/1.1" + end, Reading::malformed},
        {"GET /\xc3\xa4 HTTP/1.1" + end, Reading::malformed},
        {"GET http://a/metrics HTTP/1.1" + end, Reading::malformed},
        {std::string("GET /a\0 HTTP/1.1", 16) + end, Reading::malformed},
        {"\r\n\r\n", Reading::malformed},
    };
    for (const auto& row : rows) {
        CAPTURE(row.received);
        CHECK(read(row.received).reading == row.reading);
        CHECK(read(row.received).path == row.path);
    }
}

TEST_CASE("a request may be as large as the bound, and no larger") {
    const std::string start = "GET / HTTP/1.1\r\nX: ";
    const std::string end = "\r\n\r\n";
    const std::string fill(max_http_request - start.size() - end.size(), 'x');
    CHECK(read(start + fill + end).reading == Reading::asked);
    CHECK(read(start + fill + "x" + end).reading == Reading::too_large);
    CHECK(read(start + fill).reading == Reading::incomplete);
    CHECK(read(start + fill + "xxxx").reading == Reading::too_large);
    CHECK(read("GET /" + std::string(max_http_request, 'x')).reading == Reading::too_large);
}

TEST_CASE("byte by byte, a request is incomplete until it is whole") {
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t size = 0; size < request.size(); ++size)
        CHECK(read(std::string_view(request).substr(0, size)).reading == Reading::incomplete);
    CHECK(read(request).reading == Reading::asked);
}

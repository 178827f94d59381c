#include "core/pin.hpp"

#include <doctest/doctest.h>

using namespace pgod;

TEST_CASE("parse_pin") {
    const std::string pin = "SHA256:bC0pQqy5SkgFHJz1KQ2GgPmaSCEM3JyxjgeL4pubMuc";
    for (const std::string& text : {pin, pin + "=", " " + pin + "\n"}) {
        const auto parsed = parse_pin(text);
        REQUIRE(parsed);
        CHECK(*parsed == pin);
    }
    for (const std::string& text :
         {std::string(), std::string("SHA256:"), pin.substr(7), pin + "a", pin.substr(0, 40),
          "MD5:" + pin.substr(7), "SHA256:" + std::string(43, '!'), pin + "\n" + pin}) {
        CAPTURE(text);
        const auto parsed = parse_pin(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == Code::invalid);
    }
}

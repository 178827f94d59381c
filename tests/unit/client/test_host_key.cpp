#include "client/host_key.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::client;

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

TEST_CASE("a pin decides alone") {
    const HostKeyPolicy policy{
        .host = "h", .port = 2222, .pin = "SHA256:right", .known_hosts = {}, .accept_new = true};
    CHECK(judge_host_key(policy, {{"ssh-ed25519", "AAAA", ""}, "SHA256:right"}));
    const auto other = judge_host_key(policy, {{"ssh-ed25519", "AAAA", ""}, "SHA256:wrong"});
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Code::denied);
    CHECK(other.error().message.find("SHA256:wrong") != std::string::npos);
    CHECK(other.error().message.find("SHA256:right") != std::string::npos);
}

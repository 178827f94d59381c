#include "client/host_key.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::client;

TEST_CASE("a pin decides alone") {
    const HostKeyPolicy policy{
        .host = "h", .port = 2222, .pin = "SHA256:right", .known_hosts = {}, .accept_new = true};
    CHECK(judge_host_key(policy, {{"ssh-ed25519", "AAAA", ""}, "SHA256:right"}));
    const auto other = judge_host_key(policy, {{"ssh-ed25519", "AAAA", ""}, "SHA256:wrong"});
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Code::permanent);
    CHECK(other.error().message.find("SHA256:wrong") != std::string::npos);
    CHECK(other.error().message.find("SHA256:right") != std::string::npos);
}

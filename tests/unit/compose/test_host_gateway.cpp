#include "compose/host_gateway.hpp"

#include "compose/arguments.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

TEST_CASE("host-gateway is the first address that containers reach") {
    const std::vector<HostAddress> addresses{{"127.0.0.1", "lo"},   {"169.254.1.7", "eth1"},
                                             {"192.0.2.2", "eth0"}, {"198.51.100.7", "eth2"},
                                             {"::1", "lo"},         {"2001:db8::1", "eth0"}};
    CHECK(choose_host_gateway("", addresses) == "192.0.2.2");
    CHECK(choose_host_gateway("", std::span(addresses).last(2)) == "2001:db8::1");
    CHECK(choose_host_gateway("", std::span(addresses).first(2)).empty());
    CHECK(choose_host_gateway("", std::vector<HostAddress>{{"fe80::1", "eth0"}, {"224.0.0.1", "x"}}).empty());
    CHECK(choose_host_gateway("203.0.113.9", addresses) == "203.0.113.9");
    CHECK(choose_host_gateway("none", addresses).empty());
}

TEST_CASE("podman gets an address in the place of host-gateway alone") {
    const auto with = [](const char* value) {
        return with_host_gateway({"--add-host", value}, "192.0.2.2").value;
    };
    CHECK(with("h:host-gateway") == "h:192.0.2.2");
    CHECK(with("host-gateway:192.0.2.9") == "host-gateway:192.0.2.9");
    CHECK(with("h:2001:db8::1") == "h:2001:db8::1");
    CHECK(with_host_gateway({"--env", "h:host-gateway"}, "192.0.2.2").value == "h:host-gateway");
    const Secrets none;
    const PlannedContainer container{"c", "web", {{"--add-host", "h:host-gateway"}}, "i", {}};
    const RunSettings settings{"demo", "7", "abc", "9a04", "/e", {}, none, {}, {}, "192.0.2.2"};
    CHECK(run_call(container, settings).arguments[4] == "--add-host=h:192.0.2.2");
    CHECK(build_call({"i", "/s", "/s/F", {{"--add-host", "h:host-gateway"}}}, "t", "192.0.2.2")[3] ==
          "--add-host=h:192.0.2.2");
}

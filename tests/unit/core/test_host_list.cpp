#include "core/host_list.hpp"

#include <doctest/doctest.h>

using namespace pgod;

TEST_CASE("several hosts in one target") {
    HostBook book;
    book.groups["web"] = {"a.example.org", "::1"};
    book.groups["many"] = std::vector<std::string>(1, "x");
    for (int i = 0; i < 70; ++i)
        book.groups["many"].push_back("h" + std::to_string(i));
    struct Row {
        std::string_view text;
        std::vector<std::string> hosts;
    };
    const Row good[] = {
        {"a:svc//ps", {"a"}},
        {"a,b:svc//ps", {"a", "b"}},
        {"b,a,b:svc//ps", {"b", "a"}},
        {"[::1],b,[::2]:svc//ps", {"::1", "b", "::2"}},
        {"@web:svc//ps", {"a.example.org", "::1"}},
        {"c,@web,a.example.org:svc//ps", {"c", "a.example.org", "::1"}},
        {":svc//ps", {""}},
    };
    for (const auto& row : good) {
        CAPTURE(row.text);
        const auto targets = parse_targets(row.text, book);
        REQUIRE_MESSAGE(targets, (targets ? "" : targets.error().message));
        std::vector<std::string> hosts;
        for (const auto& target : *targets) {
            CHECK(target.command == "svc//ps");
            hosts.push_back(target.host);
        }
        CHECK(hosts == row.hosts);
    }
    const std::pair<std::string_view, std::string_view> bad[] = {
        {"a,:svc//ps", "a comma without a host"}, {",a:svc//ps", "a comma without a host"},
        {",:svc//ps", "a comma without a host"},  {"@nosuch:svc//ps", "there is no group \"nosuch\""},
        {"@:svc//ps", "there is no group \"\""},  {"a,me@b:svc//ps", "leave it out"},
        {"a,-b:svc//ps", "not a host name"},      {"a,b:svc", "names no operation"},
        {"a,b:Svc//ps", "not a service name"},    {"a,::1:svc//ps", "IPv6"},
        {"@many:svc//ps", "at most 64"},
    };
    for (const auto& [text, says] : bad) {
        CAPTURE(text);
        const auto targets = parse_targets(text, book);
        REQUIRE_FALSE(targets);
        CHECK(targets.error().code == Code::invalid);
        CHECK_MESSAGE(targets.error().message.find(says) != std::string::npos, targets.error().message);
    }
}

#include "config/host_book.hpp"

#include <doctest/doctest.h>

using namespace pgod;

TEST_CASE("pgoctl's own file: hosts and groups") {
    const auto report = parse_host_book(R"(
[hosts."a.example.org"]
port = 2022
identity = "~/.ssh/web"
host_key = "SHA256:bC0pQqy5SkgFHJz1KQ2GgPmaSCEM3JyxjgeL4pubMuc="

[hosts.b]

[groups]
web = [ "a.example.org", "b", "::1", "b" ]
)",
                                        "c.toml");
    for (const auto& error : report.errors)
        FAIL_CHECK(error);
    const auto& a = report.book.hosts.at("a.example.org");
    CHECK(a.port == 2022);
    CHECK(a.identity == "~/.ssh/web");
    CHECK(a.host_key == "SHA256:bC0pQqy5SkgFHJz1KQ2GgPmaSCEM3JyxjgeL4pubMuc");
    CHECK_FALSE(report.book.hosts.at("b").port);
    CHECK(report.book.groups.at("web") == std::vector<std::string>{"a.example.org", "b", "::1"});
    CHECK(parse_host_book("", "c.toml").errors.empty());
    CHECK(load_host_book("/nonexistent/config.toml").errors.empty());
    CHECK_FALSE(load_host_book("/").errors.empty());
}

TEST_CASE("what is wrong in pgoctl's own file is told with its place") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"port = 22\n", "c:1:1: \"port\" belongs to a host"},
        {"host = 22\n", "c:1:1: unknown setting \"host\" (did you mean \"hosts\"?)"},
        {"[hosts]\na.example.org = { port = 1 }\n", "c:2:"},
        {"[hosts.a]\nprot = 1\n", "c:2:1: unknown setting \"prot\" (did you mean \"port\"?)"},
        {"[hosts.a]\nport = 0\n", "c:2:8: port must be from 1 to 65535"},
        {"[hosts.a]\nport = \"22\"\n", "c:2:8: port must be a number"},
        {"[hosts.a]\nidentity = \"-----BEGIN\"\n", "c:2:12: identity must be a key's file"},
        {"[hosts.a]\nhost_key = \"MD5:x\"\n", "c:2:12: host_key"},
        {"[hosts.\"me@a\"]\n", "c:1:1: "},
        {"groups = 1\n", "c:1:10: groups must be a table"},
        {"[groups]\nweb = \"a\"\n", "c:2:7: groups.web must be an array of hosts"},
        {"[groups]\nweb = []\n", "c:2:7: groups.web must be an array of hosts"},
        {"[groups]\nweb = [ 1 ]\n", "c:2:9: groups.web: must be a string"},
        {"[groups]\nweb = [ \"a,b\" ]\n", "c:2:9: groups.web: "},
        {"[groups]\nWeb = [ \"a\" ]\n", "c:2:7: groups must have names of lower-case letters"},
        {"[groups\n", "c:1:"},
    };
    for (const auto& [text, says] : rows) {
        CAPTURE(text);
        const auto report = parse_host_book(text, "c");
        REQUIRE_FALSE(report.errors.empty());
        CHECK_MESSAGE(report.errors.front().starts_with(says), report.errors.front());
    }
}

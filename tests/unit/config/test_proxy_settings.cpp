#include "config/config.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;

namespace {

std::string service(const std::string& name, const std::string& more) {
    return "[[services]]\nname = '" + name + "'\nuser = 'u'\nrepository = 'https://h.example/r'\n" + more +
           "\n";
}

std::string errors_of(const std::string& text) {
    const auto report = parse_config(text, "c");
    CHECK(report.config.has_value() == report.errors.empty());
    std::string lines;
    for (const auto& error : report.errors)
        lines += (lines.empty() ? "" : "\n") + error;
    return lines;
}

} // namespace

TEST_CASE("[proxy]: what is not given is as usual for its kind") {
    auto report = parse_config("[proxy]\nkind = 'caddy'\n", "c");
    REQUIRE(report.config);
    REQUIRE(report.config->proxy);
    const auto caddy = *report.config->proxy;
    CHECK(caddy.kind == ProxyKind::caddy);
    CHECK(caddy.file == "/etc/caddy/pgod.conf");
    CHECK(caddy.user == "caddy");
    CHECK(caddy.check == std::vector<std::string>{"caddy", "validate", "--config", "/etc/caddy/Caddyfile",
                                                  "--adapter", "caddyfile"});
    CHECK(caddy.timeout == std::chrono::seconds(20));
    report = parse_config("[proxy]\nkind = 'nginx'\nmain = '/srv/n.conf'\nsite = ['listen 443 ssl;']\n"
                          "reload = ['systemctl', 'reload', 'nginx']\ntimeout = '5m'\n",
                          "c");
    REQUIRE(report.config);
    const auto nginx = *report.config->proxy;
    CHECK(nginx.kind == ProxyKind::nginx);
    CHECK(nginx.file == "/etc/nginx/conf.d/pgod.conf");
    CHECK(nginx.user == "root");
    CHECK(nginx.check == std::vector<std::string>{"nginx", "-t", "-q", "-c", "/srv/n.conf"});
    CHECK(nginx.reload == std::vector<std::string>{"systemctl", "reload", "nginx"});
    CHECK(nginx.site == std::vector<std::string>{"listen 443 ssl;"});
    CHECK(nginx.timeout == std::chrono::minutes(5));
    CHECK_FALSE(parse_config("", "c").config->proxy);
}

TEST_CASE("[proxy]: what is wrong with it") {
    struct Row {
        std::string text, errors;
    };
    const std::string nginx = "[proxy]\nkind = 'nginx'\n";
    for (const auto& [text, errors] : std::vector<Row>{
             {"proxy = 'nginx'", "c:1:9: proxy must be a table: begin it with [proxy], not a string"},
             {"[proxy]", "c:1:1: kind is missing: add kind = \"caddy\""},
             {"[proxy]\nkind = 'ngin'",
              "c:2:8: kind must be \"caddy\" or \"nginx\", not \"ngin\" (did you mean \"nginx\"?)"},
             {nginx + "fil = '/a'", "c:3:1: unknown setting \"fil\" (did you mean \"file\"?)"},
             {nginx + "file = 'a'", "c:3:8: file must be an absolute path, not \"a\""},
             {nginx + "file = '/a'\nmain = '/a'",
              "c:3:8: file and main must differ: file is pgod's own, main the admin's"},
             {nginx + "check = 'nginx -t'",
              "c:3:9: check must be an array of strings such as [ \"…\" ], not a string"},
             {nginx + "check = []", "c:3:9: check must hold a program and its arguments"},
             {nginx + "reload = ['bin/x']",
              "c:3:11: reload must begin with an absolute path or the bare name of a program"},
             {nginx + "site = [\"a\\nb\"]",
              "c:3:9: site must hold texts of 1 to 1024 bytes without control characters"},
             {nginx + "timeout = '6m'", "c:3:11: timeout must be from \"1s\" to \"5m\", not \"6m\""},
             {nginx + "user = '0'", "c:3:8: user must be a user's name, not a number such as \"0\""}}) {
        CAPTURE(text);
        CHECK(errors_of(text) == errors);
    }
}

TEST_CASE("domains") {
    const auto report = parse_config(service("a", "domains = ['*.Apps.example.org', 'b.example.org']"), "c");
    REQUIRE(report.config);
    CHECK(report.config->services[0].domains ==
          std::vector<std::string>{"*.apps.example.org", "b.example.org"});
    CHECK(errors_of(service("a", "domains = ['*']")) ==
          "c:5:12: domains must hold names such as \"*.apps.example.org\", not \"*\"");
    CHECK(errors_of(service("a", "domains = ['a.org', 'A.org']")) == "c:5:21: domains holds \"a.org\" twice");
}

TEST_CASE("a port has one owner, and no url leads to a port of another service") {
    struct Row {
        std::string first, second, errors;
    };
    for (const auto& [first, second, errors] : std::vector<Row>{
             {"ports = ['5000/9']", "ports = ['5010/9']", ""},
             {"ports = ['5000/9', '5005/1']", "", ""}, // its own
             {"ports = ['5000/9']", "ports = ['80/0', '5009/9']",
              "c:10:18: ports \"5009/9\" overlaps \"5000/9\" of service \"a\": a host port belongs to one "
              "service"},
             {"ports = ['5009/9']", "ports = ['5000/9']",
              "c:10:10: ports \"5000/9\" overlaps \"5009/9\" of service \"a\": a host port belongs to one "
              "service"},
             {"ports = ['1/65534']", "ports = ['80/0']",
              "c:10:10: ports \"80/0\" overlaps \"1/65534\" of service \"a\": a host port belongs to one "
              "service"},
             {"ports = ['5000/9']", "urls = { 'x.org' = ':5003' }",
              "c:10:20: urls of \"x.org\": port 5003 belongs to service \"a\""},
             {"ports = ['5000/9']", "urls = { 'X.org' = '127.0.0.1:5003' }",
              "c:10:20: urls of \"x.org\": port 5003 belongs to service \"a\""},
             {"ports = ['5000/9']", "urls = { 'x.org' = 'other.example:5003' }", ""}, // another host's
             {"urls = { 'x.org' = ':80' }", "ports = ['80/0']",
              "c:5:20: urls of \"x.org\": port 80 belongs to service \"b\""},
             {"urls = { 'x.org' = ':80', 'y.org' = ':80' }", "", ""},
             {"urls = { 'x.org' = ':80' }", "urls = { 'y.org' = ':80' }",
              "c:10:20: urls of \"y.org\": port 80 belongs to service \"a\""},
             {"urls = { 'x.org' = ':80' }", "urls = { 'X.ORG' = ':81' }",
              "c:10:20: urls gives \"x.org\" twice, here or in a service above"},
             {"urls = { '*.x.org' = ':80' }", "urls = { 'a.x.org' = ':81' }",
              ""}}) { // the proxy takes the nearest
        CAPTURE(first);
        CAPTURE(second);
        CHECK(errors_of(service("a", first) + service("b", second)) == errors);
    }
}

#include "core/proxy.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;

namespace {

constexpr std::string_view head = "# Written by pgod from the urls of its services; changes here are lost.\n";

} // namespace

TEST_CASE("caddy gets a site for each name") {
    auto settings = usual_proxy(ProxyKind::caddy);
    const std::vector<Site> sites{{"a.example.org", "blog", {"", 5007}},
                                  {"*.b.example.org", "shop", {"::1", 5008}},
                                  {"c.example.org", "shop", {"backend.example.org", 80}}};
    CHECK(render_proxy_file(settings, sites) == std::string(head) + R"(
# service blog
a.example.org {
	reverse_proxy 127.0.0.1:5007
}

# service shop
*.b.example.org {
	reverse_proxy [::1]:5008
}

# service shop
c.example.org {
	reverse_proxy backend.example.org:80
}
)");
    settings.site = {"tls internal", "encode gzip"};
    CHECK(render_proxy_file(settings, std::vector{sites[0]}) == std::string(head) + R"(
# service blog
a.example.org {
	tls internal
	encode gzip
	reverse_proxy 127.0.0.1:5007
}
)");
}

TEST_CASE("each site is found again in the file, and no other") {
    const std::vector<Site> sites{{"a.example.org", "blog", {"", 5007}},
                                  {"b.example.org", "blog", {"", 5007}},
                                  {"c.example.org", "shop", {"", 80}}};
    for (const auto kind : {ProxyKind::caddy, ProxyKind::nginx}) {
        auto settings = usual_proxy(kind);
        settings.site.emplace_back("# service blog");
        const auto text = render_proxy_file(settings, sites);
        const auto found = sites_in(text);
        CHECK(found.size() == sites.size());
        for (const auto& site : sites)
            CHECK(found.contains(render_site(settings, site)));
        CHECK(!found.contains(render_site(settings, {"a.example.org", "blog", {"", 5008}})));
        CHECK(sites_in(render_proxy_file(settings, {})).empty());
    }
    CHECK(sites_in("").empty());
    CHECK(sites_in("\n# service ").size() == 1);
}

TEST_CASE("nginx gets a server for each name") {
    const auto settings = usual_proxy(ProxyKind::nginx);
    const std::vector<Site> sites{{"a.example.org", "blog", {"", 5007}}};
    CHECK(render_proxy_file(settings, sites) == std::string(head) + R"(map $http_upgrade $pgod_connection {
    default upgrade;
    '' close;
}

# service blog
server {
    server_name a.example.org;
    listen 80;
    listen [::]:80;
    location / {
        proxy_pass http://127.0.0.1:5007;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $pgod_connection;
    }
}
)");
}

TEST_CASE("without sites there is a comment only, which every proxy takes") {
    for (const auto kind : {ProxyKind::caddy, ProxyKind::nginx})
        CHECK(render_proxy_file(usual_proxy(kind), {}) == head);
}

TEST_CASE("what is no name or no port is never written, wherever it came from") {
    using namespace std::string_literals;
    for (const auto kind : {ProxyKind::caddy, ProxyKind::nginx})
        for (const auto& name :
             {""s, "a.org; } server {"s, "a.org {\n}\nevil.org"s, "a.org\n"s, "{$HOME}"s, "a\0.org"s,
              "a.org b.org"s, "~^.*$"s, "_"s, "\"a.org\""s, "import"s + " /etc/shadow"s}) {
            CAPTURE(name);
            CHECK(render_site(usual_proxy(kind), {name, "blog", {"", 80}}).empty());
        }
    CHECK(render_site(usual_proxy(ProxyKind::caddy), {"a.org", "blog", {"", 0}}).empty());
}

TEST_CASE("what is said of a failed check is the proxy's own sentence") {
    CHECK(complaint_in("2026/11/21 [warn] 1#1: conflicting server name\n"
                       "2026/11/21 [emerg] 1#1: unexpected \"}\" in /etc/nginx/conf.d/pgod.conf:3\n"
                       "nginx: configuration file /etc/nginx/nginx.conf test failed\n") ==
          "2026/11/21 [emerg] 1#1: unexpected \"}\" in /etc/nginx/conf.d/pgod.conf:3");
    CHECK(
        complaint_in("{\"level\":\"info\"}\nError: adapting config: pgod.conf:2: unrecognized directive\n") ==
        "Error: adapting config: pgod.conf:2: unrecognized directive");
    CHECK(complaint_in("first\nlast \x1b[31m\n\n") == "last \\x1b[31m");
    CHECK(complaint_in("").empty());
    CHECK(complaint_in(std::string(10'000, 'x')).size() < 310);
}

TEST_CASE("a name that nginx has already is found in what its check prints") {
    const std::string output =
        "[warn] 1#1: conflicting server name \"old.example.org\" on 0.0.0.0:80, ignored\n"
        "[warn] 1#1: conflicting server name \"new.example.org\" on 0.0.0.0:80, ignored\n";
    const std::string others = "server_name old.example.org;";
    CHECK(conflict_in(output, others + "server_name new.example.org;", others) ==
          "[warn] 1#1: conflicting server name \"new.example.org\" on 0.0.0.0:80, ignored");
    CHECK(conflict_in(output, others + "server_name newer.example.org;", others).empty());
    CHECK(conflict_in(output, others, others).empty());
    CHECK(conflict_in("conflicting server name \"", "server_name ;", "").size() < 310);
    CHECK(conflict_in("", others, "").empty());
}

TEST_CASE("what is done about the file") {
    struct Row {
        std::optional<std::string> present, loaded;
        ProxyStep step;
    };
    for (const auto& [present, loaded, step] :
         std::vector<Row>{{std::nullopt, std::nullopt, ProxyStep::place},
                          {std::nullopt, "wanted", ProxyStep::place},
                          {"old", "old", ProxyStep::check},
                          {"old", std::nullopt, ProxyStep::check},
                          {"edited", "wanted", ProxyStep::check},
                          {"wanted", "old", ProxyStep::reload}, // killed in between
                          {"wanted", std::nullopt, ProxyStep::reload},
                          {"wanted", "wanted", ProxyStep::nothing}})
        CHECK(next_proxy_step("wanted", present, loaded) == step);
}

TEST_CASE("how the main configuration comes to read the file") {
    CHECK(command_to_include(usual_proxy(ProxyKind::caddy)) ==
          "echo 'import /etc/caddy/pgod.conf' >> /etc/caddy/Caddyfile");
    CHECK(command_to_include(usual_proxy(ProxyKind::nginx)) ==
          "sed -i '/^http *{/a include /etc/nginx/conf.d/pgod.conf;' /etc/nginx/nginx.conf");
}

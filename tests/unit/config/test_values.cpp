#include "config/nearest.hpp"
#include "config/values.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace pgod;
using namespace pgod::config;
using namespace std::chrono_literals;

TEST_CASE("listen") {
    CHECK(*parse_listen(":2222") == ListenAddress{.host = "", .port = 2222});
    CHECK(*parse_listen("127.0.0.1:22") == ListenAddress{.host = "127.0.0.1", .port = 22});
    CHECK(*parse_listen("[2001:db8::1]:65535") == ListenAddress{.host = "2001:db8::1", .port = 65535});
    for (const auto* text :
         {"", ":", "2222", ":0", ":65536", ":-1", ":ssh", "localhost:22", "::1:22", "[::1]", "[]:22",
          "[127.0.0.1]:22", "127.0.0.1", "1.2.3:4", "[::1%lo]:22", " :22", ":22 "}) {
        CAPTURE(text);
        CHECK_FALSE(parse_listen(text).has_value());
    }
}

TEST_CASE("interval") {
    CHECK(*parse_interval("1s") == 1s);
    CHECK(*parse_interval("90s") == 90s);
    CHECK(*parse_interval("5m") == 5min);
    CHECK(*parse_interval("1h30m") == 90min);
    CHECK(*parse_interval("23h59m60s") == 24h);
    CHECK(*parse_interval("24h") == 24h);
    CHECK(*parse_interval("1h1s") == 3601s);
    for (const auto* text : {"",
                             "0s",
                             "0h0m0s",
                             "24h1s",
                             "86401s",
                             "5",
                             "m",
                             "5 m",
                             "5m ",
                             "-5m",
                             "1.5h",
                             "5M",
                             "5ms",
                             "1d",
                             "30m1h",
                             "1h1h",
                             "99999999999999999999s",
                             "1000000s",
                             "999999h",
                             "5m5"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_interval(text).has_value());
    }
}

TEST_CASE("paths") {
    CHECK(*parse_absolute_path("/a") == "/a");
    CHECK(*parse_absolute_path("//a///b/./c/") == "/a/b/c");
    CHECK(*parse_absolute_path("/a b/ü..c") == "/a b/ü..c");
    for (const auto& text :
         {std::string(), std::string("a"), std::string("./a"), std::string("/"), std::string("/./"),
          std::string("/a/.."), std::string("/../a"), std::string("/a\nb"), std::string("/a\0b", 4),
          "/" + std::string(max_path, 'x')}) {
        CAPTURE(text);
        CHECK_FALSE(parse_absolute_path(text).has_value());
    }
    CHECK(*parse_volume("/srv/miek/") == "/srv/miek");
    CHECK_FALSE(parse_volume("/srv/a:b").has_value());
    CHECK_FALSE(parse_volume("/srv/a,b").has_value());
    CHECK_FALSE(parse_volume("/").has_value());

    CHECK(overlap("/srv", "/srv"));
    CHECK(overlap("/srv", "/srv/a"));
    CHECK(overlap("/srv/a/b", "/srv/a"));
    CHECK_FALSE(overlap("/srv", "/srvx"));
    CHECK_FALSE(overlap("/srv/a", "/srv/b"));
}

TEST_CASE("profiles") {
    for (const auto* text : {"*", "debug", "a.b_c-D", "0"})
        CHECK(*parse_profile(text) == text);
    for (const std::string& text :
         std::vector<std::string>{"", "-a", ".a", "a b", "a,b", "**", "é", std::string(129, 'a')})
        CHECK_FALSE(parse_profile(text).has_value());
}

TEST_CASE("compose") {
    for (const auto* text : {"compose.yaml", "deploy/compose.yml", "a b/..x.yaml", ".compose.yaml"})
        CHECK(*parse_compose(text) == text);
    for (const auto* text : {"", "/compose.yaml", "../compose.yaml", "a/../b", "./compose.yaml", "a//b", "a/",
                             "-f", "a\nb", "a/.", ".."}) {
        CAPTURE(text);
        CHECK_FALSE(parse_compose(text).has_value());
    }
}

TEST_CASE("users") {
    for (const auto* text : {"miek", "_svc", "a.b-c_d", "Miek", "miek@science.ru.nl", "4ever"})
        CHECK(*parse_user(text) == text);
    for (const auto* text :
         {"", "root", "0", "1000", "-x", "a b", "a:b", "../x", "a/b", "a\n", "ü", ".", "@x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_user(text).has_value());
    }
}

TEST_CASE("branches, as git-check-ref-format(1) has them") {
    for (const auto* text : {"main", "feature/x", "v1.0", "a-b_c", "ünï", "a@b", "a.lockx", "a}"})
        CHECK(*parse_branch(text) == text);
    for (const auto* text : {"",     "@",    "HEAD",   "refs/heads/main",
                             "-x",   "a..b", "a b",    "a~1",
                             "a^",   "a:b",  "a?",     "a*",
                             "a[",   "a\\b", "a\tb",   "a\x7f",
                             "/a",   "a/",   "a//b",   ".a",
                             "a/.b", "a.",   "a.lock", "a.lock/b",
                             "a@{1}"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_branch(text).has_value());
    }
    CHECK_FALSE(parse_branch(std::string(201, 'a')).has_value());
}

TEST_CASE("ports") {
    CHECK(*parse_ports("5005/5") == PortRange{.first = 5005, .last = 5010});
    CHECK(*parse_ports("80/0") == PortRange{.first = 80, .last = 80});
    CHECK(*parse_ports("1/65534") == PortRange{.first = 1, .last = 65535});
    for (const auto* text :
         {"", "/", "80", "80/", "/5", "0/5", "65536/0", "65535/1", "1/65535", "80/-1", "80/5/5", "80-85",
          " 80/5", "80/18446744073709551615", "80/99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_ports(text).has_value());
    }
}

TEST_CASE("DNS names and where they lead") {
    CHECK(*parse_url_name("PGO.Science.ru.nl") == "pgo.science.ru.nl");
    CHECK(*parse_url_name("localhost") == "localhost");
    CHECK(*parse_url_name("xn--bcher-kva.example") == "xn--bcher-kva.example");
    for (const auto& text :
         {std::string(), std::string("a..b"), std::string(".a"), std::string("a."), std::string("-a.b"),
          std::string("a-.b"), std::string("a_b"), std::string("*.*.a"), std::string("bücher.example"),
          std::string("a b"), std::string(64, 'a'), std::string(127 * 2, 'a')}) {
        CAPTURE(text);
        CHECK_FALSE(parse_url_name(text).has_value());
    }
    CHECK(*parse_forward(":5007") == Forward{.host = "", .port = 5007});
    CHECK(*parse_forward("web.example:80") == Forward{.host = "web.example", .port = 80});
    CHECK(*parse_forward("10.0.0.1:80") == Forward{.host = "10.0.0.1", .port = 80});
    CHECK(*parse_forward("[::1]:80") == Forward{.host = "::1", .port = 80});
    for (const auto* text :
         {"", ":", "80", "web", ":0", ":65536", "http://web:80", "web:80/x", "::1:80", "a b:80"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_forward(text).has_value());
    }
}

TEST_CASE("environment") {
    CHECK(*parse_env("MYENV=bla") == "MYENV");
    CHECK(*parse_env("_x1=") == "_x1");
    CHECK(*parse_env("A=b=c\nd") == "A");
    for (const auto* text : {"DOCKER_TAG=1", "CONTAINER_NAME=x", "ENV=prod", "TZ=UTC", "https_proxy=http://p",
                             "PATHS=x", "HOMEPAGE=x"})
        CHECK(parse_env(text).has_value());
    for (const auto& text :
         {std::string(), std::string("A"), std::string("=x"), std::string("1A=x"), std::string("A B=x"),
          std::string("A-B=x"), std::string("A=\0", 3), std::string("ü=x"), std::string(129, 'A') + "=x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_env(text).has_value());
    }
    // What would undo the isolation of podman or pgod's own control over it.
    for (const std::string name : {"PGOD_X",
                                   "PATH",
                                   "HOME",
                                   "USER",
                                   "LOGNAME",
                                   "LD_PRELOAD",
                                   "LD_LIBRARY_PATH",
                                   "PYTHONPATH",
                                   "PYTHONSTARTUP",
                                   "COMPOSE_FILE",
                                   "COMPOSE_PROJECT_NAME",
                                   "XDG_RUNTIME_DIR",
                                   "XDG_CONFIG_HOME",
                                   "CONTAINERS_CONF",
                                   "CONTAINERS_STORAGE_CONF",
                                   "_CONTAINERS_ROOTLESS_UID",
                                   "CONTAINER_HOST",
                                   "DOCKER_HOST",
                                   "DOCKER_CONFIG",
                                   "STORAGE_DRIVER",
                                   "PODMAN_USERNS",
                                   "REGISTRY_AUTH_FILE",
                                   "TMPDIR",
                                   "DBUS_SESSION_BUS_ADDRESS",
                                   "LISTEN_FDS",
                                   "NOTIFY_SOCKET",
                                   "BUILDAH_ISOLATION",
                                   "GLIBC_TUNABLES",
                                   "LC_ALL"}) {
        CAPTURE(name);
        const auto parsed = parse_env(name + "=hunter2");
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().message.starts_with("must not set " + name + ": "));
        CHECK(parsed.error().message.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("what somebody who mistyped may have meant") {
    constexpr std::array<std::string_view, 4> known{"branch", "repository", "ops", "interval"};
    CHECK(nearest("brnch", known) == "branch");
    CHECK(nearest("bracnh", known) == "branch");
    CHECK(nearest("repo", known).empty()); // too far; saying nothing is better than a guess
    CHECK(nearest("op", known) == "ops");
    CHECK(nearest("intervals", known) == "interval");
    CHECK(nearest("xyz", known).empty());
    CHECK(nearest("", known).empty());
    CHECK(nearest(std::string(10'000, 'b'), known).empty());
}

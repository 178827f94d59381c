#include "config/config.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace std::chrono_literals;

TEST_CASE("an empty file is valid: all defaults and no services") {
    for (const auto* text : {"", "\n# nothing\n"}) {
        const auto report = parse_config(text, "c.toml");
        REQUIRE(report.config.has_value());
        CHECK(report.errors.empty());
        CHECK(report.warnings.empty());
        CHECK(report.config->listen == ListenAddress{.host = "", .port = 2222});
        CHECK_FALSE(report.config->metrics);
        CHECK(report.config->interval == 5min);
        CHECK(report.config->state == "/var/lib/pgod");
        CHECK(report.config->host_key == "/etc/pgod/ssh_host_ed25519_key");
        CHECK(report.config->admin_keys == "/etc/pgod/admin_keys");
        CHECK(report.config->revoked_keys == "/etc/pgod/revoked_keys");
        CHECK(report.config->services.empty());
    }
}

TEST_CASE("directories that services of different users share are warned of") {
    const auto file = [](const std::string& user, const std::string& volume) {
        return "[[services]]\nname = 'a'\nuser = 'u'\nrepository = 'file:///r'\nvolumes = [ '/srv/a' ]\n"
               "[[services]]\nname = 'b'\nuser = '" +
               user + "'\nrepository = 'file:///r'\nvolumes = [ '" + volume + "' ]\n";
    };
    for (const std::string& volume : std::vector<std::string>{"/srv/a", "/srv/a/b", "/srv"}) {
        CHECK(parse_config(file("v", volume), "c").warnings ==
              std::vector<std::string>{
                  "c:10:11: volumes \"" + volume +
                  "\" overlaps \"/srv/a\" of service \"a\", which belongs to another user: "
                  "only the file permissions keep the two apart"});
        CHECK(parse_config(file("u", volume), "c").warnings.empty());
    }
    CHECK(parse_config(file("v", "/srv/ab"), "c").warnings.empty());
}

TEST_CASE("host_key is one path, or two while it changes") {
    const auto two = parse_config("host_key = [ \"/a\", \"/b\" ]\n", "c");
    REQUIRE(two.config.has_value());
    CHECK(two.config->host_key == "/a");
    CHECK(two.config->second_host_key == "/b");
    for (const auto* value : {"[]", "[ \"/a\" ]", "[ \"/a\", \"/a\" ]", "[ \"/a\", \"/b\", \"/c\" ]"}) {
        CAPTURE(value);
        const auto wrong = parse_config(std::string("host_key = ") + value + "\n", "c");
        REQUIRE(wrong.errors.size() == 1);
        CHECK(wrong.errors.front() ==
              "c:1:12: host_key must be one path, or two different ones while the key changes");
    }
    CHECK(
        parse_config("host_key = [ \"a\", \"/b\" ]\n", "c").errors.front().starts_with("c:1:14: host_key "));
}

TEST_CASE("every setting arrives") {
    const auto report = parse_config(R"(
listen = "[::1]:2022"
metrics = ":9178"
interval = "1h30m"
parallel = 64
prune = false
linger = false
state = "/srv//pgod/./state/"
host_key = "/srv/pgod/key"
control = "/srv//pgod/control.sock"
admin_keys = "/srv/pgod/admins"
revoked_keys = "/srv/pgod/revoked"

[[services]]
name = "pgo"
user = "miek"
repository = "https://miek:hunter2@github.com/miekg/pgo"
branch = "feature/x"
urls = { "PGO.science.ru.nl" = ":5007", "www.example.org" = "[::1]:5008" }
ports = [ "5005/5", "1025/0" ]
volumes = [ "/srv/miek/", "/home/miek/data", "shared_data" ]
networks = [ "shared", "proxy_front.1" ]
allow = [ "cap:cap_net_admin", "device:/dev/net/tun", "host-network", "security-opt:label=disable",
          "sysctl:net.core.somaxconn" ]
compose = "deploy/compose.yaml"
env = [ "MYENV=bla", "EMPTY=", "PEM=a\nb=c" ]
auto = false
ops = [ "read", "exec" ]
interval = "90s"
start_timeout = "1h"
after = [ "wiki" ]

[[services]]
name = "wiki"
user = "ops"
repository = "git@git.example.org:team/wiki.git"
)",
                                     "c.toml");
    for (const auto& error : report.errors)
        FAIL_CHECK(error);
    REQUIRE(report.config.has_value());
    const auto& config = *report.config;
    CHECK(config.listen == ListenAddress{.host = "::1", .port = 2022});
    CHECK(config.metrics == ListenAddress{.host = "", .port = 9178});
    CHECK(config.interval == 90min);
    CHECK(config.parallel == 64);
    CHECK_FALSE(config.prune);
    CHECK_FALSE(config.linger);
    CHECK(config.state == "/srv/pgod/state");
    CHECK(config.host_key == "/srv/pgod/key");
    CHECK(config.admin_keys == "/srv/pgod/admins");
    CHECK(config.revoked_keys == "/srv/pgod/revoked");
    REQUIRE(config.services.size() == 2);

    const auto& pgo = config.services[0];
    CHECK(pgo.name == "pgo");
    CHECK(pgo.user == "miek");
    CHECK(pgo.repository.whole().reveal() == "https://miek:hunter2@github.com/miekg/pgo");
    CHECK(pgo.branch == "feature/x");
    CHECK(pgo.urls == std::map<std::string, Forward>{{"pgo.science.ru.nl", {.host = "", .port = 5007}},
                                                     {"www.example.org", {.host = "::1", .port = 5008}}});
    CHECK(pgo.ports == std::vector<PortRange>{{.first = 5005, .last = 5010}, {.first = 1025, .last = 1025}});
    CHECK(pgo.volumes == std::vector<std::string>{"/srv/miek", "/home/miek/data", "shared_data"});
    CHECK(pgo.networks == std::vector<std::string>{"shared", "proxy_front.1"});
    CHECK(pgo.allow == std::vector<std::string>{"cap:NET_ADMIN", "device:/dev/net/tun", "host-network",
                                                "security-opt:label=disable", "sysctl:net.core.somaxconn"});
    CHECK(pgo.compose == std::vector<std::string>{"deploy/compose.yaml"});
    CHECK(pgo.env == std::vector<std::string>{"MYENV=bla", "EMPTY=", "PEM=a\nb=c"});
    CHECK_FALSE(pgo.auto_deploy);
    CHECK(pgo.ops == OperationGroups{.read = true, .deploy = false, .exec = true});
    CHECK(pgo.interval == 90s);
    CHECK(pgo.start_timeout == 1h);
    CHECK(pgo.after == std::vector<std::string>{"wiki"});

    const auto& wiki = config.services[1];
    CHECK(wiki.branch == "main");
    CHECK(wiki.urls.empty());
    CHECK_FALSE(wiki.ports.has_value());
    CHECK(wiki.volumes.empty());
    CHECK(wiki.compose.empty());
    CHECK(wiki.profiles.empty());
    CHECK(wiki.env.empty());
    CHECK(wiki.auto_deploy);
    CHECK(wiki.ops == OperationGroups{.read = true, .deploy = true});
    CHECK(wiki.interval == 90min); // the file's
}

TEST_CASE("several compose files, and profiles") {
    const auto report =
        parse_config("[[services]]\nname = 'pgo'\nuser = 'miek'\nrepository = 'https://example.org/r'\n"
                     "compose = ['compose.yaml', 'deploy/prod.yaml']\nprofiles = ['b', 'a']\n",
                     "f");
    REQUIRE(report.errors.empty());
    const auto& service = report.config->services.at(0);
    CHECK(service.compose == std::vector<std::string>{"compose.yaml", "deploy/prod.yaml"});
    CHECK(service.profiles == std::vector<std::string>{"b", "a"});
}

TEST_CASE("an empty list is not an absent one") {
    const auto report =
        parse_config("[[services]]\nname='a'\nuser='b'\nrepository='file:///srv/a'\nports=[]\nops=[]\n", "c");
    REQUIRE(report.config.has_value());
    CHECK(report.config->services[0].ports == std::vector<PortRange>{}); // no port at all
    CHECK(report.config->services[0].ops == OperationGroups{});
}

TEST_CASE("text beyond ASCII is text wherever TOML has text") {
    const auto report = parse_config("\xef\xbb\xbfstate = \"\"\"/srv/\\\n  été\"\"\" # é ☃\n", "c.toml");
    REQUIRE(report.config.has_value());
    CHECK(report.config->state == "/srv/été");
}

TEST_CASE("a password over http is taken, with a warning that does not repeat it") {
    const auto report =
        parse_config("[[services]]\nname='a'\nuser='b'\nrepository='http://u:hunter2@h/r'\n", "c.toml");
    CHECK(report.config.has_value());
    REQUIRE(report.warnings.size() == 1);
    CHECK(report.warnings[0] ==
          "c.toml:4:12: repository sends its password over http, unprotected: use https");
    CHECK(parse_config("[[services]]\nname='a'\nuser='b'\nrepository='http://h/r'\n", "c").warnings.empty());
}

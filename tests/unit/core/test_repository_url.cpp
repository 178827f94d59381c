#include "core/repository_url.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;
using Scheme = RepositoryUrl::Scheme;

TEST_CASE("repository URLs that are accepted") {
    struct Row {
        std::string text;
        Scheme scheme;
        std::string redacted; // empty: the same
    };
    const std::vector<Row> rows{
        {"https://github.com/miekg/pgo", Scheme::https, ""},
        {"https://git.example.org:8443/~miek/pgo.git", Scheme::https, ""},
        {"https://miek:hunter2@git.example.org/pgo", Scheme::https, "https://[redacted]@git.example.org/pgo"},
        {"https://miek:hunt%40er%2f2@git.example.org:8443/a/b", Scheme::https,
         "https://[redacted]@git.example.org:8443/a/b"},
        {"https://miek:hunt@er2@git.example.org/pgo", Scheme::https,
         "https://[redacted]@git.example.org/pgo"},
        {"https://glpat-token@git.example.org/pgo", Scheme::https, "https://[redacted]@git.example.org/pgo"},
        {"http://miek:hunter2@127.0.0.1:8080/pgo", Scheme::http, "http://[redacted]@127.0.0.1:8080/pgo"},
        {"http://[::1]:8080/pgo", Scheme::http, ""},
        {"ssh://git@github.com/miekg/pgo.git", Scheme::ssh, ""},
        {"ssh://git@[2001:db8::1]:2022/srv/pgo.git", Scheme::ssh, ""},
        {"ssh://git.example.org/srv/pgo.git", Scheme::ssh, ""},
        {"git@github.com:miekg/pgo.git", Scheme::ssh, ""},
        {"github.com:miekg/pgo.git", Scheme::ssh, ""},
        {"git@git.example.org:/srv/git/pgo.git", Scheme::ssh, ""},
        {"git://git.example.org/pgo.git", Scheme::git, ""},
        {"git://127.0.0.1:9418/pgo.git", Scheme::git, ""},
        {"file:///srv/git/pgo.git", Scheme::file, ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto url = RepositoryUrl::parse(row.text);
        REQUIRE_MESSAGE(url.has_value(), url.error().message);
        CHECK(url->scheme() == row.scheme);
        CHECK(url->redacted() == (row.redacted.empty() ? row.text : row.redacted));
        CHECK(url->whole().reveal() == row.text);
        CHECK(fmt::format("{}", *url) == url->redacted());
        CHECK(fmt::format("{}", *url).find("hunt") == std::string::npos);
    }
}

TEST_CASE("repository URLs that are refused, without repeating them") {
    struct Row {
        std::string text;
        std::string says;
    };
    const std::vector<Row> rows{
        {"", "is empty"},
        {"-oProxyCommand=x:y", "must not begin with \"-\""},
        {"https://git.example.org/a b", "spaces or control characters"},
        {"https://git.example.org/a\nb", "spaces or control characters"},
        {std::string("https://git.example.org/a\0b", 26), "spaces or control characters"},
        {"https://git.example.org/a\xc2\x9b", "spaces or control characters"},
        {"https://git.example.org/" + std::string(2048, 'x'), "longer than 2048 bytes"},
        {"/srv/git/pgo.git", "write it as file://"},
        {"pgo.git", "must begin with https://"},
        {"./a:b", "must begin with https://"},
        {"ftp://git.example.org/pgo", "must begin with https://"},
        {"HTTPS://git.example.org/pgo", "must begin with https://"},
        {"ext::sh", "the path of the ssh repository URL is not valid"},
        {"https:///pgo", "no valid host name"},
        {"https://git.example.org", "names no repository"},
        {"https://git.example.org/", "names no repository"},
        {"https://-x/pgo", "no valid host name"},
        {"https://git_hunter2$/pgo", "no valid host name"},
        {"https://[::1/pgo", "no valid host name"},
        {"https://git.example.org:0/pgo", "must be 1 to 65535"},
        {"https://git.example.org:65536/pgo", "must be 1 to 65535"},
        {"https://git.example.org:/pgo", "must be 1 to 65535"},
        {"https://[::1]x:1/pgo", "no valid host name"},
        {"https://miek:hunter2/3@git.example.org/pgo", "in a password as %2F"},
        {"https://miek:22/hunter2@git.example.org/pgo", "in a password as %2F"},
        {"https://:hunter2@git.example.org/pgo", "empty user name"},
        {"https://git.example.org/pgo?private_token=hunter2", "must not hold a query"},
        {"https://git.example.org/pgo#hunter2", "must not hold a query"},
        {"ssh://git:hunter2@git.example.org/pgo", "must not hold a password"},
        {"ssh://-l@git.example.org/pgo", "user name in the ssh repository URL"},
        {"ssh://git@-oProxyCommand=x/pgo", "no valid host name"},
        {"ssh://git@/pgo", "no valid host name"},
        {"git@-host:pgo", "no valid host name"},
        {"git:hunter2@git.example.org:pgo", "path of the ssh repository URL"},
        {"-git@host:pgo", "must not begin with \"-\""},
        {"g!t@host:pgo", "user name in the ssh repository URL"},
        {"git@host:", "path of the ssh repository URL"},
        {"git@host:-pgo", "path of the ssh repository URL"},
        {"git@[::1]:pgo", "ssh://user@[address]:port/path"},
        {"git://miek@git.example.org/pgo", "takes no user name"},
        {"file://git.example.org/pgo", "absolute path"},
        {"file://pgo", "absolute path"},
        {"file:///", "absolute path"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto url = RepositoryUrl::parse(row.text);
        REQUIRE_FALSE(url.has_value());
        CHECK(url.error().code == Code::invalid);
        CHECK_MESSAGE(url.error().message.find(row.says) != std::string::npos, url.error().message);
        CHECK(url.error().message.find("hunter2") == std::string::npos);
    }
}

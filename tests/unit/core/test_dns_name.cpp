#include "core/dns_name.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace pgod;

TEST_CASE("a DNS name is letters, digits and hyphens, in lower case") {
    const std::string label(63, 'a');
    for (const auto& [text, name] :
         std::vector<std::pair<std::string, std::string>>{{"blog.example.org", "blog.example.org"},
                                                          {"Blog.EXAMPLE.org", "blog.example.org"},
                                                          {"localhost", "localhost"},
                                                          {"1.2.3.4", "1.2.3.4"},
                                                          {"xn--bcher-kva.example", "xn--bcher-kva.example"},
                                                          {label + ".org", label + ".org"}}) {
        CAPTURE(text);
        CHECK(dns_name(text) == name);
        CHECK(dns_name_or_wildcard(text) == name);
        CHECK(dns_name_or_wildcard("*." + text) == "*." + name);
    }
}

TEST_CASE("nothing else is one") {
    using namespace std::string_literals;
    const std::string long_name = std::string(63, 'a') + '.' + std::string(63, 'b') + '.' +
                                  std::string(63, 'c') + '.' + std::string(62, 'd');
    REQUIRE(long_name.size() == 254);
    for (const auto& text : {""s,
                             "."s,
                             "a."s,
                             ".a"s,
                             "a..b"s,
                             "-a"s,
                             "a-.org"s,
                             "a_b"s,
                             "a b"s,
                             " a"s,
                             "a\n"s,
                             "a\r"s,
                             "a\t"s,
                             "a;b"s,
                             "a{b"s,
                             "a}b"s,
                             "a#b"s,
                             "a\"b"s,
                             "a'b"s,
                             "a\\b"s,
                             "a$b"s,
                             "a,b"s,
                             "a/b"s,
                             "a:80"s,
                             "http://a"s,
                             "b\xc3\xbc.org"s,
                             "a\0b"s,
                             "a\x7f"s,
                             std::string(64, 'a') + ".org",
                             long_name}) {
        CAPTURE(text);
        CHECK_FALSE(dns_name(text));
        CHECK_FALSE(dns_name_or_wildcard(text));
        CHECK_FALSE(dns_name_or_wildcard("*." + text));
    }
    for (const auto& text : {"*"s, "*."s, "*a.org"s, "a.*.org"s, "*.*.org"s, "**.org"s}) {
        CAPTURE(text);
        CHECK_FALSE(dns_name_or_wildcard(text));
    }
    CHECK_FALSE(dns_name("*.a.org"));
    CHECK_FALSE(dns_name_or_wildcard("*." + long_name.substr(2)));
}

TEST_CASE("a wildcard covers one label") {
    struct Row {
        std::string name, pattern;
        bool covered;
    };
    for (const auto& [name, pattern, covered] : std::vector<Row>{{"blog.apps.org", "*.apps.org", true},
                                                                 {"apps.org", "*.apps.org", false},
                                                                 {"a.blog.apps.org", "*.apps.org", false},
                                                                 {"blogapps.org", "*.apps.org", false},
                                                                 {".apps.org", "*.apps.org", false},
                                                                 {"*.apps.org", "*.apps.org", false},
                                                                 {"blog.apps.org.evil", "*.apps.org", false},
                                                                 {"blog.apps.org", "blog.apps.org", true},
                                                                 {"blog.apps.org", "apps.org", false}}) {
        CAPTURE(name);
        CAPTURE(pattern);
        CHECK(is_covered_by(name, pattern) == covered);
    }
    CHECK(wildcard_above("blog.apps.example.org") == "*.apps.example.org");
    CHECK(wildcard_above("blog.example.org") == "*.example.org");
    CHECK_FALSE(wildcard_above("example.org"));
    CHECK_FALSE(wildcard_above("localhost"));
}

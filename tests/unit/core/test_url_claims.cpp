#include "core/url_claims.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;

namespace {

Model asking(std::map<std::string, std::string> urls) {
    Model model;
    model.urls = std::move(urls);
    return model;
}

std::vector<std::string> problems(const std::map<std::string, std::string>& urls, const UrlGrants& grants) {
    Findings findings;
    judge_urls(asking(urls), grants, findings);
    std::vector<std::string> found;
    for (const auto& violation : std::move(findings).take())
        found.push_back(describe(violation));
    return found;
}

Service service(const std::string& name, std::map<std::string, Forward> urls, std::uint16_t first) {
    Service made;
    made.name = name;
    made.urls = std::move(urls);
    made.domains = {"*.apps.org"};
    made.ports = std::vector<PortRange>{{first, static_cast<std::uint16_t>(first + 9)}};
    return made;
}

reconcile::Time at(int hours) {
    return reconcile::Time{std::chrono::hours(hours)};
}

} // namespace

TEST_CASE("what a repository may ask for") {
    const UrlGrants grants{
        {"*.apps.org", "one.example.org"}, std::vector<PortRange>{{5000, 5009}}, {"held.apps.org"}};
    struct Row {
        std::map<std::string, std::string> urls;
        std::vector<std::string> problems;
    };
    for (const auto& [urls, expected] : std::vector<Row>{
             {{}, {}},
             {{{"blog.apps.org", ":5007"}, {"Shop.Apps.org", ":5000"}, {"one.example.org", ":5009"}}, {}},
             {{{"blog.other.org", ":5007"}},
              {"x-pgo: url \"blog.other.org\" is not a name that this service was given; the admin can grant "
               "it with "
               "domains = [\"*.other.org\"]"}},
             {{{"other.org", ":5007"}},
              {"x-pgo: url \"other.org\" is not a name that this service was given; the admin can grant it "
               "with domains "
               "= [\"other.org\"]"}},
             {{{"a.b.apps.org", ":5007"}},
              {"x-pgo: url \"a.b.apps.org\" is not a name that this service was given; the admin can grant "
               "it with "
               "domains = [\"*.b.apps.org\"]"}},
             {{{"blog.apps.org", ":5010"}},
              {"x-pgo: url \"blog.apps.org\" leads to port 5010, which is not one of this service's own; the "
               "admin can "
               "grant it with ports = [\"5010/0\"]"}},
             {{{"held.apps.org", ":5007"}}, {"x-pgo: url \"held.apps.org\" belongs to another service"}},
             {{{"*.apps.org", ":5007"}}, {"x-pgo: url \"*.apps.org\" is not a DNS name"}},
             {{{"a.apps.org {\n", ":5007"}}, {"x-pgo: url \"a.apps.org {\\x0a\" is not a DNS name"}},
             {{{"blog.apps.org", "int"}},
              {"x-pgo: url \"blog.apps.org\" must lead to \":PORT\" in quotes, not \"int\""}},
             {{{"blog.apps.org", "10.0.0.1:5007"}},
              {"x-pgo: url \"blog.apps.org\" must lead to \":PORT\" in quotes, not \"10.0.0.1:5007\""}},
             {{{"blog.apps.org", ":0"}},
              {"x-pgo: url \"blog.apps.org\" must lead to \":PORT\" in quotes, not \":0\""}},
             {{{"BLOG.apps.org", ":5007"}, {"blog.apps.org", ":5008"}},
              {"x-pgo: url \"blog.apps.org\" is there twice"}}})
        CHECK(problems(urls, grants) == expected);
    // Any port of the host, with those of other services and of the host itself, is not a port of its own.
    CHECK(problems({{"blog.apps.org", ":5007"}}, {{"*.apps.org"}, std::nullopt, {}}).size() == 1);
    CHECK(problems({{"blog.apps.org", ":5007"}}, {}).size() == 1);
    std::map<std::string, std::string> many;
    for (std::size_t i = 0; i <= max_url_claims; ++i)
        many["n" + std::to_string(i) + ".apps.org"] = ":5007";
    CHECK(problems(many, grants) == std::vector<std::string>{"x-pgo: asks for more than 64 urls"});
    CHECK(claims_of(asking(many)).size() == max_url_claims);
}

TEST_CASE("only what is well formed is claimed") {
    CHECK(claims_of(asking(
              {{"Blog.apps.org", ":5007"}, {"blog.apps.org", ":5008"}, {"x y", ":1"}, {"a.org", "5007"}})) ==
          std::vector<UrlClaim>{{"blog.apps.org", 5007, {}}});
}

TEST_CASE("the admin's names come first, then the oldest claim; what is not granted any more is not served") {
    const std::vector<Service> services{service("blog", {{"b.apps.org", {"", 5001}}}, 5000),
                                        service("shop", {}, 6000), service("wiki", {}, 7000)};
    const auto served =
        served_urls(services, {{"blog", {{"b.apps.org", 5002, at(1)}, {"x.apps.org", 5003, at(9)}}},
                               {"shop", {{"b.apps.org", 6001, at(0)}, {"x.apps.org", 6002, at(3)}}},
                               {"wiki", {{"x.other.org", 7001, at(0)}, {"y.apps.org", 80, at(0)}}},
                               {"gone", {{"z.apps.org", 8000, at(0)}}}});
    CHECK(served.sites ==
          std::vector<Site>{{"b.apps.org", "blog", {"", 5001}}, {"x.apps.org", "shop", {"", 6002}}});
    using Sentences = std::vector<std::string>;
    CHECK(served.refused ==
          std::map<std::string, Sentences>{
              {"blog", {"url \"x.apps.org\" is not served: it belongs to another service"}},
              {"shop", {"url \"b.apps.org\" is not served: it belongs to another service"}},
              {"wiki",
               {"url \"x.other.org\" is not served: it is not a name that this service was given",
                "url \"y.apps.org\" is not served: it leads to port 80, which is not one of this service's "
                "own"}}});
    CHECK(names_taken_from(services[0], served.sites) == Sentences{"x.apps.org"});
    CHECK(names_taken_from(services[1], served.sites) == Sentences{"b.apps.org"});
    CHECK(names_taken_from(Service{}, served.sites).empty());
}

TEST_CASE(
    "what a proxy refuses is offered again without what one service asks for anew, then without all of it") {
    const std::vector<Service> services{service("blog", {{"b.apps.org", {"", 5001}}}, 5000),
                                        service("shop", {}, 6000), service("wiki", {}, 7000)};
    const auto is_old = [](const Site& site) {
        return site.name == "old.apps.org";
    };
    const auto names = [](const ServedUrls& served) {
        std::vector<std::string> all;
        for (const auto& site : served.sites)
            all.push_back(site.name);
        return all;
    };
    using Texts = std::vector<std::string>;
    const UrlClaims claims{
        {"blog", {{"c.apps.org", 5002, at(5)}}},
        {"shop", {{"old.apps.org", 6001, at(8)}, {"s.apps.org", 6002, at(2)}, {"t.apps.org", 6003, at(6)}}},
        {"wiki", {{"w.apps.org", 7001, at(1)}}}};
    const auto choices = url_choices(services, claims, is_old);
    REQUIRE(choices.size() == 5);
    CHECK(names(choices[0]) ==
          Texts{"b.apps.org", "c.apps.org", "old.apps.org", "s.apps.org", "t.apps.org", "w.apps.org"});
    CHECK(choices[0].refused.empty());
    CHECK(names(choices[1]) == Texts{"b.apps.org", "c.apps.org", "old.apps.org", "w.apps.org"});
    REQUIRE(choices[1].refused.size() == 1);
    CHECK(
        choices[1].refused.at("shop").front().starts_with("url \"s.apps.org\" is not served: it was asked"));
    CHECK(names(choices[2]) == Texts{"b.apps.org", "old.apps.org", "s.apps.org", "t.apps.org", "w.apps.org"});
    CHECK(names(choices[3]) == Texts{"b.apps.org", "c.apps.org", "old.apps.org", "s.apps.org", "t.apps.org"});
    CHECK(names(choices[4]) ==
          Texts{"b.apps.org", "old.apps.org"}); // the admin's, and what is served already
    CHECK(url_choices(services, {{"shop", {{"old.apps.org", 6001, at(7)}}}}, is_old).size() == 1);
    CHECK(url_choices(services, {{"shop", {{"s.apps.org", 6001, at(7)}}}}, is_old).size() == 2);

    std::vector<Service> many;
    UrlClaims one_each;
    for (int i = 0; i < 40; ++i) {
        const auto name = "s" + std::to_string(i);
        const auto port = static_cast<std::uint16_t>(5000 + 100 * i);
        many.push_back(service(name, {}, port));
        one_each[name] = {{name + ".apps.org", static_cast<std::uint16_t>(port + 1), at(i)}};
    }
    const auto bounded = url_choices(many, one_each, is_old);
    CHECK(bounded.size() == max_url_choices);
    CHECK(names(bounded[1]).size() == 39);
    CHECK(names(bounded.back()).empty());
}

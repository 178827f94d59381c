// A commit that an operator names: by its first digits, and only when the branch has it.
#include "fixture.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using test::Fixture;

namespace {

ExportResult export_named(const Fixture& fixture, const std::string& digits) {
    return git::export_tree(
        {.directory = fixture.service, .commit = digits, .branch = "main", .into = "stage", .limits = {}});
}

} // namespace

TEST_CASE("an older commit of the branch is found by its first digits, and the whole id comes back") {
    const Fixture fixture;
    fixture.write("file", "old");
    const auto old = fixture.commit("old");
    fixture.write("file", "new");
    const auto tip = fixture.commit("new");
    REQUIRE_FALSE(fixture.sync().error);
    for (const auto& [digits, content] :
         {std::pair{old.substr(0, 8), "old"}, std::pair{old, "old"}, std::pair{tip.substr(0, 8), "new"}}) {
        const auto result = export_named(fixture, digits);
        REQUIRE_FALSE(result.error);
        CHECK(result.commit == (content == std::string("old") ? old : tip));
        CHECK(test::slurp(fixture.stage / "file") == content);
    }
}

TEST_CASE("a commit that is in the repository but not on the branch is not there for anybody") {
    const Fixture fixture;
    fixture.write("file", "base");
    (void)fixture.commit("base");
    fixture.write("file", "dropped");
    const auto dropped = fixture.commit("dropped");
    REQUIRE_FALSE(fixture.sync().error);
    fixture.git({"reset", "-q", "--hard", "HEAD~1"});
    fixture.write("file", "other");
    const auto tip = fixture.commit("other");
    REQUIRE(fixture.sync(dropped).tip == tip);
    for (const std::string& digits : {dropped, std::string(40, 'd'), std::string("dead")}) {
        const auto result = export_named(fixture, digits);
        REQUIRE(result.error);
        CHECK(result.error->code == Code::gone);
        CHECK(result.commit.empty());
    }
    CHECK_FALSE(fixture.export_commit(dropped).error); // it is still there, only not on the branch
    CHECK_FALSE(export_named(fixture, tip).error);
}

TEST_CASE(
    "commits that are named beside what is exported: contained, served already, or refused with a reason") {
    const Fixture fixture;
    fixture.write("file", "one");
    const auto first = fixture.commit("one");
    fixture.write("file", "two");
    const auto second = fixture.commit("two");
    fixture.write("file", "three");
    const auto third = fixture.commit("three");
    REQUIRE_FALSE(fixture.sync().error);
    const auto judge = [&fixture](const std::string& top, const std::string& digits,
                                  const std::string& serving) {
        const auto result = git::export_tree({.directory = fixture.service,
                                              .commit = top,
                                              .into = "stage",
                                              .named = {digits},
                                              .serving = serving,
                                              .limits = {}});
        REQUIRE_FALSE(result.error);
        REQUIRE(result.named.size() == 1);
        return result.named.front();
    };
    const auto short_first = first.substr(0, 8);
    CHECK(judge(third, third, {}) == NamedCommit{third, third, false, {}});
    CHECK(judge(third, short_first, {}) == NamedCommit{short_first, first, false, {}});
    CHECK(judge(third, first, second) == NamedCommit{first, first, true, {}});
    CHECK(judge(third, second, second).serves);
    CHECK_FALSE(judge(third, third, second).serves);
    CHECK_FALSE(judge(third, first, std::string(40, 'e')).serves); // what runs is no longer in the repository
    CHECK(judge(second, third, {}).refused.find("not on the branch") != std::string::npos);
    CHECK(judge(third, "feedface", {}).refused.find("not in the repository") != std::string::npos);
    CHECK(judge(third, "feedface", {}).commit.empty());
}

// sync() against a repository on disk: what moves, what does not, and what upstream may do to us.
#include "fixture.hpp"

#include "base/text.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

using namespace pgod;
using test::Fixture;
namespace fs = std::filesystem;

TEST_CASE("the first sync fetches the branch, a second finds nothing new") {
    const Fixture fixture;
    fixture.write("compose.yaml", "services: {}\n");
    const auto tip = fixture.commit("first");

    const auto first = fixture.sync();
    REQUIRE_FALSE(first.error);
    CHECK(first.tip == tip);
    CHECK(first.moved);
    CHECK_FALSE(first.rewritten);
    CHECK(first.warnings.empty());

    const auto second = fixture.sync(tip);
    REQUIRE_FALSE(second.error);
    CHECK(second.tip == tip);
    CHECK_FALSE(second.moved);

    // A supervisor that forgot everything learns the tip without a fetch.
    CHECK(fixture.sync().moved);
}

TEST_CASE("only the branch comes: no tags, no other branches, no reflog, no remote in the configuration") {
    const Fixture fixture;
    fixture.commit("first");
    fixture.git({"tag", "v1"});
    fixture.git({"branch", "other"});
    REQUIRE_FALSE(fixture.sync().error);
    CHECK(fs::exists(fixture.local / "refs/remotes/origin/main"));
    CHECK_FALSE(fs::exists(fixture.local / "refs/remotes/origin/other"));
    CHECK(fs::is_empty(fixture.local / "refs/tags"));
    CHECK_FALSE(fs::exists(fixture.local / "logs"));
    CHECK(test::slurp(fixture.local / "FETCH_HEAD").empty());
    CHECK(test::slurp(fixture.local / "config").find("upstream") == std::string::npos);
}

TEST_CASE("a new commit moves the tip, a force-push is said") {
    const Fixture fixture;
    const auto first = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    const auto second = fixture.commit("second");
    const auto moved = fixture.sync(first);
    REQUIRE_FALSE(moved.error);
    CHECK(moved.tip == second);
    CHECK(moved.moved);
    CHECK_FALSE(moved.rewritten);

    fixture.git({"reset", "-q", "--hard", first});
    const auto third = fixture.commit("instead of the second");
    const auto rewritten = fixture.sync(second);
    REQUIRE_FALSE(rewritten.error);
    CHECK(rewritten.tip == third);
    CHECK(rewritten.moved);
    CHECK(rewritten.rewritten);

    // Also when it is set back to an older commit, and when the caller's commit is unknown here.
    fixture.git({"reset", "-q", "--hard", first});
    CHECK(fixture.sync(third).rewritten);
    CHECK(fixture.sync("0123456789012345678901234567890123456789").rewritten);
}

TEST_CASE("a deleted branch is said, tip and keys stay") {
    const Fixture fixture;
    fixture.write("ssh/a.pub", test::key_line("a"));
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    fixture.git({"branch", "-m", "main", "trunk"});

    const auto result = fixture.sync(tip);
    REQUIRE(result.error);
    CHECK(result.error->code == Code::gone);
    CHECK(result.error->message.find("no branch \"main\"") != std::string::npos);
    CHECK(result.error->message.find("file://") != std::string::npos);
    CHECK(result.tip == tip);
    CHECK_FALSE(result.moved);

    // A supervisor that forgot everything gets the keys as well.
    const auto forgotten = fixture.sync();
    REQUIRE(forgotten.error);
    CHECK(forgotten.tip == tip);
    CHECK(forgotten.keys.size() == 1);
}

TEST_CASE("a tip that is known costs no look at the local repository") {
    const Fixture fixture;
    const auto tip = fixture.commit("first");
    const auto result = fixture.sync(tip);
    REQUIRE_FALSE(result.error);
    CHECK(result.tip == tip);
    CHECK_FALSE(fs::exists(fixture.local));
}

TEST_CASE("what was fetched from another repository gives neither a tip nor keys") {
    const Fixture fixture;
    fixture.write("ssh/a.pub", test::key_line("a"));
    REQUIRE_FALSE(fixture.commit("first").empty());
    REQUIRE_FALSE(fixture.sync().error);
    auto request = fixture.request();
    request.source.url = *RepositoryUrl::parse("file:///nonexistent/other.git");
    const auto other = git::sync(request);
    REQUIRE(other.error);
    CHECK(other.tip.empty());
    CHECK(other.keys.empty());
    CHECK_FALSE(fixture.sync().tip.empty()); // and nothing was lost
}

TEST_CASE("an empty upstream is said") {
    const Fixture fixture;
    const auto result = fixture.sync();
    REQUIRE(result.error);
    CHECK(result.error->code == Code::gone);
    CHECK(result.error->message.find("empty repository") != std::string::npos);
    CHECK(result.tip.empty());
    CHECK_FALSE(fs::exists(fixture.service / "repo.git.new"));
    CHECK_FALSE(fs::exists(fixture.local));
}

TEST_CASE("upstream out of reach: tip and keys are those that we have") {
    const Fixture fixture;
    fixture.write("ssh/a.pub", test::key_line("a"));
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    fs::rename(fixture.upstream, fixture.root / "moved away");

    const auto result = fixture.sync();
    REQUIRE(result.error);
    CHECK(result.error->code == Code::transient);
    CHECK(result.tip == tip);
    CHECK(result.moved);
    REQUIRE(result.keys.size() == 1);
    CHECK(result.keys[0].base64 == test::key_blob);
}

TEST_CASE("upstream was never in reach") {
    const Fixture fixture;
    fs::remove_all(fixture.upstream);
    const auto result = fixture.sync();
    REQUIRE(result.error);
    CHECK(result.error->code == Code::transient);
    CHECK(result.tip.empty());
    CHECK(result.keys.empty());
}

TEST_CASE("the branch of the configuration changes") {
    const Fixture fixture;
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    fixture.git({"checkout", "-q", "-b", "next"});
    const auto next = fixture.commit("next");
    auto request = fixture.request();
    request.source.branch = "next";
    request.known = tip;
    const auto result = git::sync(request);
    REQUIRE_FALSE(result.error);
    CHECK(result.tip == next);
    CHECK_FALSE(result.rewritten);

    request.source.branch = "a b*";
    request.known.clear();
    const auto refused = git::sync(request);
    REQUIRE(refused.error);
    CHECK(refused.error->code == Code::invalid);
}

TEST_CASE("more bytes than a fetch may have") {
    const Fixture fixture;
    std::string noise;
    unsigned state = 1;
    while (noise.size() < (2U << 20)) {
        state = state * 1664525U + 1013904223U;
        noise.push_back(static_cast<char>(state >> 24));
    }
    fixture.write("noise", noise);
    fixture.commit("large");
    auto request = fixture.request();
    request.source.max_bytes = 1 << 20;
    const auto result = git::sync(request);
    REQUIRE(result.error);
    CHECK(result.error->code == Code::permanent);
    CHECK(result.error->message.find("1 MiB") != std::string::npos);
    CHECK_FALSE(fs::exists(fixture.local));
    CHECK_FALSE(fs::exists(fixture.service / "repo.git.new"));

    request.source.max_bytes = 8 << 20;
    CHECK_FALSE(git::sync(request).error);
}

TEST_CASE("the local repository must be ours") {
    if (::geteuid() != 0) {
        MESSAGE("needs root to give a file away; not run");
        return;
    }
    const Fixture fixture;
    fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    REQUIRE(::lchown(fixture.local.c_str(), 65534, 65534) == 0);
    const auto result = fixture.sync();
    REQUIRE(result.error);
    CHECK(result.error->code == Code::denied);
    CHECK(result.error->message.find("belongs to uid 65534") != std::string::npos);
}

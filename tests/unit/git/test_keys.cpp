// Keys come from the tip's tree: regular files only, bounded, and what is refused is named.
#include "fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace pgod;
using test::any_contains;
using test::Fixture;

TEST_CASE("keys of the tip are the keys") {
    const Fixture fixture;
    fixture.write("ssh/a.pub", test::key_line("ann@laptop"));
    fixture.write("ssh/b.pub", fmt::format("# bert\nssh-ed25519 {}\n", test::key_blob));
    fixture.write("ssh/README.md", "no key");
    fixture.write("ssh/below/c.pub", test::key_line("not looked at"));
    const auto first = fixture.commit("first");
    const auto two = fixture.sync();
    REQUIRE_FALSE(two.error);
    REQUIRE(two.keys.size() == 2);
    CHECK(two.keys[0].name == "ann@laptop");
    CHECK(two.keys[1].name == "b.pub");
    CHECK(two.warnings.empty());

    fixture.git({"rm", "-q", "ssh/a.pub"});
    fixture.commit("ann left");
    CHECK(fixture.sync(first).keys.size() == 1);
}

TEST_CASE("what looks like a key file and is none is named") {
    const Fixture fixture;
    fixture.write("real", test::key_line("reached through a link"));
    std::filesystem::create_directories(fixture.upstream / "ssh");
    std::filesystem::create_symlink("../real", fixture.upstream / "ssh/id.pub");
    fixture.write("ssh/dir.pub/file", "x");
    fixture.write("ssh/large.pub", std::string(16 * 1024 + 1, 'x'));
    fixture.write("ssh/text.pub", "hello\n");
    fixture.write("ssh/executable.pub", test::key_line("fine"));
    std::filesystem::permissions(fixture.upstream / "ssh/executable.pub", std::filesystem::perms::owner_all);
    fixture.commit("odd");
    const auto result = fixture.sync();
    REQUIRE_FALSE(result.error);
    REQUIRE(result.keys.size() == 1);
    CHECK(result.keys[0].name == "fine");
    CHECK(any_contains(result.warnings, "ssh/id.pub is a symbolic link; only regular files hold keys"));
    CHECK(any_contains(result.warnings, "ssh/dir.pub is a directory"));
    CHECK(any_contains(result.warnings, "ssh/large.pub is larger than 16 KiB"));
    CHECK(any_contains(result.warnings, "ssh/text.pub line 1: "));
    CHECK(result.warnings.size() == 4);
}

TEST_CASE("ssh itself may be a link or a file") {
    const Fixture fixture;
    std::filesystem::create_symlink("/etc/ssh", fixture.upstream / "ssh");
    fixture.commit("link");
    const auto result = fixture.sync();
    REQUIRE_FALSE(result.error);
    CHECK(result.keys.empty());
    CHECK(any_contains(result.warnings, "ssh is not a directory"));
}

TEST_CASE("keys are counted") {
    const Fixture fixture;
    std::string many;
    for (int i = 0; i < 60; ++i)
        many += test::key_line("many");
    fixture.write("ssh/a.pub", many);
    fixture.write("ssh/b.pub", many);
    fixture.write("ssh/c.pub", many);
    fixture.commit("many");
    const auto result = fixture.sync();
    CHECK(result.keys.size() == max_repository_keys);
    CHECK(any_contains(result.warnings, "more than 100 keys"));
}

TEST_CASE("a submodule and control characters in a file name") {
    const Fixture fixture;
    const auto key = fixture.blob(test::key_line("x"));
    const auto below = fixture.git({"mktree", "--missing", "-z"},
                                   fmt::format("160000 commit {}\ts.pub{}100644 blob {}\tk\x1b[2J.pub{}",
                                               std::string(40, '1'), '\0', fixture.blob("no key"), '\0'));
    fixture.commit_tree(fixture.tree(fmt::format("040000 tree {}\tssh\n", below)));
    const auto result = fixture.sync();
    REQUIRE_FALSE(result.error);
    CHECK(any_contains(result.warnings, "ssh/s.pub is a submodule"));
    CHECK(any_contains(result.warnings, "ssh/k\\x1b[2J.pub line 1"));
}

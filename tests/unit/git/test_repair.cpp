// The local repository under trouble: damage, leftovers of killed jobs, growth.
#include "fixture.hpp"

#include "git/compact.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <functional>

using namespace pgod;
using test::any_contains;
using test::Fixture;
namespace fs = std::filesystem;

namespace {

std::size_t packs_of(const fs::path& repository) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(repository / "objects/pack"))
        count += entry.path().extension() == ".pack" ? 1 : 0;
    return count;
}

void overwrite(const fs::path& path, std::string_view text) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void damage_objects(const fs::path& repository) {
    for (const auto& entry : fs::directory_iterator(repository / "objects/pack"))
        overwrite(entry.path(), "damaged");
}

} // namespace

TEST_CASE("a damaged repository is fetched anew") {
    const std::pair<const char*, std::function<void(const Fixture&)>> rows[] = {
        {"an empty reference",
         [](const Fixture& fixture) {
             overwrite(fixture.local / "refs/remotes/origin/main", "");
         }},
        {"no objects",
         [](const Fixture& fixture) {
             fs::remove_all(fixture.local / "objects");
         }},
        {"packs that are none",
         [](const Fixture& fixture) {
             damage_objects(fixture.local);
         }},
        {"no HEAD",
         [](const Fixture& fixture) {
             fs::remove(fixture.local / "HEAD");
         }},
        {"a configuration that is none",
         [](const Fixture& fixture) {
             overwrite(fixture.local / "config", "[[[");
         }},
        {"a file instead",
         [](const Fixture& fixture) {
             fs::remove_all(fixture.local);
             std::ofstream(fixture.local) << "x";
         }},
        {"a shallow clone",
         [](const Fixture& fixture) {
             fs::remove_all(fixture.local);
             fixture.git({"clone", "-q", "--bare", "--depth", "1", "file://" + fixture.upstream.string(),
                          fixture.local.string()});
         }},
    };
    for (const auto& [what, damage] : rows) {
        CAPTURE(what);
        const Fixture fixture;
        fixture.write("ssh/a.pub", test::key_line("a"));
        fixture.commit("first");
        const auto tip = fixture.commit("second");
        REQUIRE_FALSE(fixture.sync().error);
        damage(fixture);

        const auto result = fixture.sync();
        CHECK_FALSE(result.error);
        CHECK(result.tip == tip);
        CHECK_FALSE(result.rewritten);
        CHECK(result.keys.size() == 1);
        CHECK(any_contains(result.warnings, "was damaged and was fetched anew"));
        const auto again = fixture.sync();
        CHECK_FALSE(again.error);
        CHECK(again.warnings.empty());
    }
}

TEST_CASE("a damaged repository stays while upstream is out of reach") {
    const Fixture fixture;
    fixture.write("ssh/a.pub", test::key_line("a"));
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    std::ofstream(fixture.local / "pgod-damaged") << "";
    fs::rename(fixture.upstream, fixture.root / "away");
    const auto result = fixture.sync();
    REQUIRE(result.error);
    CHECK(result.error->code == Code::transient);
    CHECK(any_contains(result.warnings, "is damaged and is fetched anew once upstream answers"));
    CHECK(result.tip == tip);
    CHECK(result.keys.size() == 1);
}

TEST_CASE("an object that only the export misses is fetched anew with the next sync") {
    const Fixture fixture;
    fixture.write("file", "content");
    const auto tip = fixture.commit("first");
    // Loose objects, so that one can be taken away.
    fixture.git({"init", "-q", "--bare", fixture.local.string()});
    fixture.git({"-c", "transfer.unpackLimit=1000", "push", "-q", fixture.local.string(),
                 "main:refs/remotes/origin/main"});
    REQUIRE_FALSE(fixture.sync().error);
    const auto blob = fixture.git({"rev-parse", "main:file"});
    fs::remove(fixture.local / "objects" / blob.substr(0, 2) / blob.substr(2));
    const auto exported = fixture.export_commit(tip);
    REQUIRE(exported.error);
    CHECK(exported.error->code == Code::internal);
    const auto synced = fixture.sync(); // as the supervisor asks after an export that failed
    CHECK_FALSE(synced.error);
    CHECK(any_contains(synced.warnings, "fetched anew"));
    CHECK_FALSE(fixture.export_commit(tip).error);
    CHECK(test::slurp(fixture.stage / "file") == "content");
}

TEST_CASE("keys that cannot be read are not keys that are gone") {
    const Fixture fixture;
    fixture.write("ssh/a.pub", test::key_line("a"));
    const auto tip = fixture.commit("first");
    fixture.git({"init", "-q", "--bare", fixture.local.string()});
    fixture.git({"push", "-q", fixture.local.string(), "main:refs/remotes/origin/main"});
    const auto blob = fixture.git({"rev-parse", "main:ssh/a.pub"});
    fs::remove(fixture.local / "objects" / blob.substr(0, 2) / blob.substr(2));

    fs::rename(fixture.upstream, fixture.root / "away");
    const auto alone = fixture.sync();
    CHECK(alone.error);
    CHECK_FALSE(alone.moved); // or the caller would take over that there are no keys
    CHECK(alone.tip.empty());
    CHECK(any_contains(alone.warnings, "is damaged"));

    fs::rename(fixture.root / "away", fixture.upstream);
    fs::remove(fixture.local / "pgod-damaged"); // found without the mark as well
    const auto repaired = fixture.sync();
    CHECK_FALSE(repaired.error);
    CHECK(repaired.tip == tip);
    CHECK(repaired.keys.size() == 1);
    CHECK(any_contains(repaired.warnings, "fetched anew"));
}

TEST_CASE("leftovers of a killed job are swept") {
    const Fixture fixture;
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    const auto leave = [](const fs::path& path) {
        std::ofstream(path) << "x";
    };
    const fs::path leftovers[] = {fixture.local / "HEAD.lock", fixture.local / "config.lock",
                                  fixture.local / "refs/remotes/origin/main.lock",
                                  fixture.local / "objects/pack/tmp_pack_abc",
                                  fixture.local / "objects/pack/pack_git2_a1b2c3"};
    for (const auto& path : leftovers)
        leave(path);
    fs::create_directories(fixture.service / "repo.git.new/objects");
    fs::create_directories(fixture.service / "repo.git.old");
    fs::create_directories(fixture.service / "work.new");
    const auto second = fixture.commit("second");
    const auto result = fixture.sync();
    REQUIRE_FALSE(result.error);
    CHECK(result.tip == second);
    for (const auto& path : leftovers)
        CHECK_FALSE(fs::exists(path));
    CHECK_FALSE(fs::exists(fixture.service / "repo.git.new"));
    CHECK_FALSE(fs::exists(fixture.service / "repo.git.old"));
    CHECK(fs::exists(fixture.service / "work.new")); // not ours
}

TEST_CASE("a repository that was moved aside comes back") {
    const Fixture fixture;
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    fs::rename(fixture.local, fixture.service / "repo.git.old");
    fs::rename(fixture.upstream, fixture.root / "away");
    const auto result = fixture.sync();
    CHECK(result.tip == tip);
    CHECK(fs::exists(fixture.local));
}

TEST_CASE("a repository does not grow for ever") {
    const Fixture fixture;
    const auto first = fixture.commit("first");
    auto known = first;
    std::size_t most = 0;
    for (int i = 0; i < 50; ++i) {
        fixture.git({"reset", "-q", "--hard", first});
        fixture.write("file", fmt::format("force-push {}", i));
        const auto next = fixture.commit("next");
        const auto result = fixture.sync(known);
        REQUIRE_FALSE(result.error);
        REQUIRE(result.tip == next);
        CHECK(result.rewritten == (i > 0));
        CHECK(result.warnings.empty());
        REQUIRE(git::keep_small(fixture.service, "main"));
        most = std::max(most, packs_of(fixture.local));
        known = next;
    }
    CHECK(most > 1);
    CHECK(most <= git::max_packs);
    REQUIRE_FALSE(fixture.export_commit(known).error);
    CHECK(test::slurp(fixture.stage / "file") == "force-push 49");
    CHECK_FALSE(fs::exists(fixture.service / "repo.git.new"));
}

TEST_CASE("size alone also asks for a compaction") {
    const Fixture fixture;
    const auto first = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    fs::create_directories(fixture.local / "objects/aa");
    std::ofstream(fixture.local / "objects/aa/padding") << "";
    fs::resize_file(fixture.local / "objects/aa/padding", git::least_compacted_bytes + 1);
    CHECK(git::has_grown(fixture.local));
    const auto second = fixture.commit("second");
    const auto result = fixture.sync(first);
    REQUIRE_FALSE(result.error);
    CHECK(result.tip == second);
    CHECK_FALSE(result.rewritten);
    REQUIRE(git::keep_small(fixture.service, "main"));
    CHECK_FALSE(git::has_grown(fixture.local));
    CHECK_FALSE(fs::exists(fixture.local / "objects/aa/padding"));
    CHECK(fixture.sync().tip == second);
}

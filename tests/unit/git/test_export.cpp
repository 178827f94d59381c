// export_tree(): the commit's files as they are, and nothing outside the directory, whatever the tree says.
#include "fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>

using namespace pgod;
using test::any_contains;
using test::Fixture;
namespace fs = std::filesystem;

namespace {

mode_t mode_of(const fs::path& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

ExportResult export_of(const Fixture& fixture, const std::string& commit,
                       const git::ExportLimits& limits = {}) {
    const auto synced = fixture.sync();
    REQUIRE_FALSE(synced.error);
    REQUIRE(synced.tip == commit);
    return fixture.export_commit(commit, limits);
}

} // namespace

TEST_CASE("files, directories, the executable bit and links") {
    const Fixture fixture;
    fixture.write("compose.yaml", "services: {}\n");
    fixture.write("bin/run", "#!/bin/sh\n");
    fs::permissions(fixture.upstream / "bin/run", fs::perms::owner_all);
    fixture.write("a/b/c/empty", "");
    fs::create_symlink("/etc/passwd", fixture.upstream / "outside");
    fs::create_symlink("compose.yaml", fixture.upstream / "inside");
    const auto tip = fixture.commit("files");
    const auto before = ::umask(077);
    const auto result = export_of(fixture, tip);
    ::umask(before);
    REQUIRE_FALSE(result.error);
    CHECK(result.warnings.empty());
    CHECK(test::slurp(fixture.stage / "compose.yaml") == "services: {}\n");
    CHECK(mode_of(fixture.stage) == 0755);
    CHECK(mode_of(fixture.stage / "compose.yaml") == 0644);
    CHECK(mode_of(fixture.stage / "bin") == 0755);
    CHECK(mode_of(fixture.stage / "bin/run") == 0755);
    CHECK(fs::file_size(fixture.stage / "a/b/c/empty") == 0);
    CHECK(fs::read_symlink(fixture.stage / "outside") == "/etc/passwd");
    CHECK(fs::read_symlink(fixture.stage / "inside") == "compose.yaml");
    CHECK_FALSE(fs::exists(fixture.stage / ".git"));
}

TEST_CASE("an export replaces the one before, as a whole") {
    const Fixture fixture;
    fixture.write("old", "1");
    const auto first = fixture.commit("first");
    REQUIRE_FALSE(export_of(fixture, first).error);
    std::ofstream(fixture.stage / "foreign") << "x";
    fs::create_directories(fixture.service / "stage.new/left/over");
    fs::create_directories(fixture.service / "stage.old");
    fixture.git({"rm", "-q", "old"});
    fixture.write("new", "2");
    REQUIRE_FALSE(export_of(fixture, fixture.commit("second")).error);
    CHECK_FALSE(fs::exists(fixture.stage / "old"));
    CHECK_FALSE(fs::exists(fixture.stage / "foreign"));
    CHECK(test::slurp(fixture.stage / "new") == "2");
    CHECK_FALSE(fs::exists(fixture.service / "stage.new"));
    CHECK_FALSE(fs::exists(fixture.service / "stage.old"));
    CHECK(first.size() == 40);
}

TEST_CASE("a link in place of the stage is replaced, not followed") {
    const Fixture fixture;
    fixture.write("file", "1");
    const auto tip = fixture.commit("first");
    fs::create_directories(fixture.root / "elsewhere");
    fs::create_symlink(fixture.root / "elsewhere", fixture.stage);
    fs::create_symlink(fixture.root / "elsewhere", fixture.service / "stage.new");
    REQUIRE_FALSE(export_of(fixture, tip).error);
    CHECK_FALSE(fs::is_symlink(fixture.stage));
    CHECK(fs::exists(fixture.stage / "file"));
    CHECK(fs::is_empty(fixture.root / "elsewhere"));
}

TEST_CASE("submodules and LFS pointers are said") {
    const Fixture fixture;
    const auto pointer = fixture.blob("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n");
    const auto tip = fixture.commit_tree(fixture.tree(
        fmt::format("160000 commit {}\tvendor\n100644 blob {}\tmodel.bin\n", std::string(40, '1'), pointer)));
    const auto result = export_of(fixture, tip);
    REQUIRE_FALSE(result.error);
    CHECK(any_contains(result.warnings, "submodule vendor is not fetched; its directory is empty"));
    CHECK(any_contains(result.warnings, "model.bin is a Git LFS pointer, its content is not fetched"));
    CHECK(result.warnings.size() == 2);
    CHECK(fs::is_empty(fixture.stage / "vendor"));
}

TEST_CASE("more warnings than anybody reads are counted") {
    const Fixture fixture;
    std::string lines;
    for (int i = 0; i < 100; ++i)
        lines += fmt::format("160000 commit {}\ts{:03}\n", std::string(40, '1'), i);
    const auto result = export_of(fixture, fixture.commit_tree(fixture.tree(lines)));
    CHECK(result.warnings.size() == max_warnings);
    CHECK(result.warnings.back() == "and 69 more like these");
}

TEST_CASE("hostile names reject the commit and leave the stage as it was") {
    const Fixture fixture;
    fixture.write("good", "1");
    REQUIRE_FALSE(export_of(fixture, fixture.commit("good")).error);
    const auto x = fixture.blob("x");
    const auto below = fixture.tree(fmt::format("100644 blob {}\tconfig\n", x));
    struct Row {
        const char* entry;
        const char* why;
    };
    const Row rows[] = {
        {"040000 tree {1}\t.git", "stands for a git directory"},
        {"040000 tree {1}\t.GiT", "stands for a git directory"},
        {"040000 tree {1}\tgit~1", "stands for a git directory"},
        {"100644 blob {0}\t.git ", "stands for a git directory"},
        {"100644 blob {0}\t.git...", "stands for a git directory"},
        {"100644 blob {0}\t.git::$INDEX_ALLOCATION", "stands for a git directory"},
        {"100644 blob {0}\t.g\xe2\x80\x8cit", "stands for a git directory"},
        {"040000 tree {1}\t..", "is no file name"},
        {"040000 tree {1}\t.", "is no file name"},
        {"100644 blob {0}\ta\x1b]0;title\x07", "holds control characters"},
        {"100644 blob {0}\ta\nb", "holds control characters"},
        {"120000 blob {0}\t..", "is no file name"},
    };
    for (const auto& row : rows) {
        const auto entry = fmt::format(fmt::runtime(row.entry), x, below);
        CAPTURE(entry);
        // "git mktree" takes any name without a slash.
        const auto tree = fixture.git({"mktree", "--missing", "-z"}, entry + '\0');
        const auto result = export_of(fixture, fixture.commit_tree(tree));
        REQUIRE(result.error);
        CHECK(result.error->code == Code::permanent);
        CHECK(result.error->message.find(row.why) != std::string::npos);
        CHECK(result.error->message.find('\x1b') == std::string::npos);
        CHECK(test::slurp(fixture.stage / "good") == "1");
        CHECK_FALSE(fs::exists(fixture.service / "stage.new"));
    }
}

TEST_CASE("a tree object with a slash in a name, the same name twice, a link with files below") {
    const Fixture fixture;
    const auto x = fixture.blob("x");
    // Raw tree objects: mode, space, name, NUL, 20 bytes.
    const auto raw = [](std::string_view hex) {
        std::string bytes;
        for (std::size_t i = 0; i < hex.size(); i += 2)
            bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
        return bytes;
    };
    const auto entry = [&](std::string_view mode, std::string_view name, const std::string& id) {
        return fmt::format("{} {}", mode, name) + '\0' + raw(id);
    };
    const auto hand_made = [&](const std::string& bytes) {
        return fixture.commit_tree(
            fixture.git({"hash-object", "-t", "tree", "-w", "--literally", "--stdin"}, bytes));
    };
    const auto below = fixture.tree(fmt::format("100644 blob {}\tauthorized_keys\n", x));
    const auto link = fixture.blob((fixture.root / "elsewhere").string());
    fs::create_directories(fixture.root / "elsewhere");
    const std::string trees[] = {
        entry("100644", "../elsewhere/file", x),
        entry("100644", "a", x) + entry("100644", "a", x),
        entry("120000", "d", link) + entry("40000", "d", below),
        entry("40000", "d", below) + entry("120000", "d", link),
    };
    for (const auto& bytes : trees) {
        const auto commit = hand_made(bytes);
        const auto result = export_of(fixture, commit);
        REQUIRE(result.error);
        CHECK(result.error->code == Code::permanent);
        CHECK(fs::is_empty(fixture.root / "elsewhere"));
        CHECK_FALSE(fs::exists(fixture.stage));
    }
}

TEST_CASE("limits") {
    const Fixture fixture;
    fixture.write("a/b/c", std::string(1000, 'x'));
    fixture.write("d", std::string(1000, 'y'));
    const auto tip = fixture.commit("some");
    const auto message_with = [&](const git::ExportLimits& limits) {
        const auto result = export_of(fixture, tip, limits);
        return result.error ? result.error->message : std::string("exported");
    };
    CHECK(message_with({}) == "exported");
    CHECK(message_with({.entries = 3}).find("limit of 3 files") != std::string::npos);
    CHECK(message_with({.total_bytes = 1500}).find("limit of 1500 bytes in all") != std::string::npos);
    CHECK(message_with({.file_bytes = 999}).find("a/b/c is larger than 999 bytes") != std::string::npos);
    CHECK(message_with({.path_bytes = 4}).find("path of more than 4 bytes") != std::string::npos);
    CHECK(message_with({.depth = 1}).find("nested deeper") != std::string::npos);
    CHECK(
        message_with({.entries = 4, .total_bytes = 2000, .file_bytes = 1000, .path_bytes = 5, .depth = 2}) ==
        "exported");
}

TEST_CASE("what cannot be exported at all") {
    const Fixture fixture;
    fixture.write("file", "1");
    const auto tip = fixture.commit("first");
    REQUIRE_FALSE(fixture.sync().error);
    const auto unknown = fixture.export_commit(std::string(40, 'a'));
    REQUIRE(unknown.error);
    CHECK(unknown.error->code == Code::gone);
    CHECK(fixture.export_commit("main").error->code == Code::invalid);
    for (const char* into : {"", "..", "a/b", "repo.git", "repo.git.new", ".git"}) {
        const auto result =
            git::export_tree({.directory = fixture.service, .commit = tip, .into = into, .limits = {}});
        REQUIRE(result.error);
        CHECK(result.error->code == Code::invalid);
    }
    CHECK(fs::exists(fixture.local / "HEAD"));
}

#include "compose/release.hpp"

#include "scratch.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

using Files = std::map<std::string, std::string>;

Record record_of(char commit) {
    Record record;
    record.commit = std::string(40, commit);
    return record;
}

ino_t inode(const std::filesystem::path& path) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return status.st_ino;
}

} // namespace

TEST_CASE("a release is prepared from the stage and published at once") {
    const Scratch scratch;
    const auto directory = ServiceDirectory::open(scratch.path().string());
    REQUIRE(directory);
    CHECK_FALSE(prepare_release(*directory)); // no stage
    CHECK_FALSE(read_record(*directory, running_release));

    scratch.commit("stage", {{"a", "1"}, {"d/e", "1"}, {"gone", "1"}});
    const auto first = prepare_release(*directory);
    REQUIRE_MESSAGE(first, first.error().message);
    CHECK(first->changed.empty());
    CHECK(first->tree.size() == 3);
    REQUIRE(publish_release(*directory, record_of('1')));
    CHECK(read_record(*directory, running_release)->commit == std::string(40, '1'));
    CHECK_FALSE(directory->has(next_release));

    scratch.commit("stage", {{"a", "2"}, {"d/e", "1"}, {"new", "1"}});
    const auto second = prepare_release(*directory);
    REQUIRE(second);
    CHECK(second->changed == std::vector<std::string>{"a", "gone", "new"});
    CHECK(scratch.files("incoming/files") == Files{{"a", "2"}, {"d/e", "1"}, {"new", "1"}});
    CHECK(inode(scratch.path("incoming/files/d/e")) == inode(scratch.path("record/files/d/e")));
    CHECK(inode(scratch.path("incoming/files/d/e")) != inode(scratch.path("stage/d/e")));
    REQUIRE(publish_release(*directory, record_of('2')));
    CHECK(read_record(*directory, running_release)->commit == std::string(40, '2'));
    CHECK(scratch.files("record/files") == Files{{"a", "2"}, {"d/e", "1"}, {"new", "1"}});
}

TEST_CASE("what a crash left behind is remembered until the work tree is whole again") {
    const Scratch scratch;
    const auto directory = ServiceDirectory::open(scratch.path().string());
    scratch.commit("stage", {{"a", "1"}});
    REQUIRE(prepare_release(*directory)); // ended before the point of no return
    scratch.commit("stage", {{"b", "1"}});
    REQUIRE(prepare_release(*directory));
    CHECK(known_files(*directory)->empty());
    REQUIRE(write_record(*directory, next_release, record_of('1'))); // ended after it
    scratch.commit("stage", {{"c", "1"}});
    REQUIRE(prepare_release(*directory));
    const auto known = known_files(*directory);
    REQUIRE(known);
    REQUIRE(known->size() == 1);
    CHECK(known->front().tree == Tree{{"b", FileKind::file}});
    REQUIRE(forget_unfinished(*directory));
    CHECK(known_files(*directory)->empty());
    for (int i = 0; i < 12; ++i) { // bounded, however often it crashes
        REQUIRE(write_record(*directory, next_release, record_of('1')));
        REQUIRE(prepare_release(*directory));
    }
    CHECK(known_files(*directory)->size() == 8);
}

TEST_CASE("the lock has a deadline") {
    const Scratch scratch;
    const auto directory = ServiceDirectory::open(scratch.path().string());
    auto held = directory->lock(std::chrono::steady_clock::now());
    REQUIRE(held);
    CHECK(directory->lock(std::chrono::steady_clock::now()).error().code == Code::timeout);
    held->reset();
    CHECK(directory->lock(std::chrono::steady_clock::now()));
}

#include "compose/release.hpp"

#include "compose/kept.hpp"

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

namespace {

void publish(const Scratch& scratch, const ServiceDirectory& directory, char commit, std::uint64_t number) {
    scratch.commit("stage", {{"a", std::string(1, commit)}, {"same", "1"}});
    REQUIRE(prepare_release(directory));
    Record record = record_of(commit);
    record.deployment = number;
    record.containers = {{"demo_a_1", "id", false, number}};
    REQUIRE(publish_release(directory, record));
}

std::vector<std::uint64_t> kept_numbers(const ServiceDirectory& directory) {
    std::vector<std::uint64_t> numbers;
    for (const auto& record : kept_releases(directory))
        numbers.push_back(record.deployment);
    return numbers;
}

} // namespace

TEST_CASE("the releases before are kept, a few of them, each commit once") {
    using Numbers = std::vector<std::uint64_t>;
    const Scratch scratch;
    const auto directory = ServiceDirectory::open(scratch.path().string());
    publish(scratch, *directory, 'a', 1);
    CHECK(kept_numbers(*directory).empty());
    publish(scratch, *directory, 'b', 2);
    publish(scratch, *directory, 'a', 3); // the commit of 1 again: what runs is not kept as well
    CHECK(kept_numbers(*directory) == Numbers{2});
    publish(scratch, *directory, 'c', 4);
    publish(scratch, *directory, 'd', 5);
    publish(scratch, *directory, 'e', 10);
    CHECK(kept_numbers(*directory) == Numbers{5, 4, 3});
    CHECK(scratch.files("kept-4/files") == Files{{"a", "c"}, {"same", "1"}});
    CHECK(inode(scratch.path("kept-4/files/same")) == inode(scratch.path("record/files/same")));

    // a rollback needs no stage and no more room on the disk
    std::filesystem::remove_all(scratch.path("stage"));
    const auto files = prepare_release(*directory, kept_name(4) + "/files", FilesOf::release);
    REQUIRE_MESSAGE(files, files.error().message);
    CHECK(files->changed == std::vector<std::string>{"a"});
    CHECK(inode(scratch.path("incoming/files/a")) == inode(scratch.path("kept-4/files/a")));
}

TEST_CASE("the release before that a crash left is kept, an unfinished one is not") {
    const Scratch scratch;
    const auto directory = ServiceDirectory::open(scratch.path().string());
    publish(scratch, *directory, 'a', 1);
    publish(scratch, *directory, 'b', 2);
    REQUIRE(directory->rename("kept-1", next_release)); // ended between the exchange and the end
    REQUIRE(set_leftover_aside(*directory));
    CHECK(kept_numbers(*directory) == std::vector<std::uint64_t>{1});
    CHECK_FALSE(directory->has("unfinished-1"));

    REQUIRE(directory->rename("kept-1", next_release));
    Record newer = record_of('c');
    newer.deployment = 3;
    newer.containers = {{"demo_a_1", "id", false, 1}};
    REQUIRE(write_record(*directory, next_release, newer)); // ended before the exchange
    REQUIRE(set_leftover_aside(*directory));
    CHECK(kept_numbers(*directory).empty());
    CHECK(directory->has("unfinished-1"));
}

TEST_CASE("which kept release is meant") {
    std::vector<Record> kept(3);
    kept[0].commit = "1234" + std::string(36, 'a');
    kept[0].deployment = 9;
    kept[1].commit = "1234" + std::string(36, 'b');
    kept[1].deployment = 7;
    kept[2].commit = "abcd" + std::string(36, 'c');
    kept[2].deployment = 5;
    Record running = record_of('f');
    running.deployment = 12;
    struct Row {
        std::optional<std::string> wanted;
        std::uint64_t number; // 0: none
        const char* problem;
    };
    const Row rows[] = {
        {std::nullopt, 9, ""},
        {"7", 7, ""},
        {"abcd", 5, ""},
        {kept[1].commit, 7, ""},
        {"1234", 0, "1234 is more than one of them; kept are: "},
        {"abc", 0, "abc is not kept; "}, // too short
        {"8", 0, "8 is not kept; kept are: 1234aaaaaaaa (deployment 9), 1234bbbbbbbb (deployment 7), "},
        {"12", 0, "12 is what runs; "},
        {"ffff", 0, "ffff is what runs; "},
        {"\x1b[2J", 0, "\\x1b[2J is not kept"},
        {"", 0, " is not kept"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.wanted.value_or("(none)"));
        const auto found = choose_kept(kept, &running, row.wanted);
        CHECK((found ? found->deployment : 0) == row.number);
        if (!found) {
            CHECK(found.error().message.starts_with(row.problem));
            CHECK(found.error().code == Code::permanent);
        }
    }
    CHECK(choose_kept({}, nullptr, std::nullopt).error().message ==
          "there is nothing to roll back to; no release before the one that runs is kept");
}

#include "scene.hpp"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

using namespace pgod;
using namespace pgod::store;
namespace fs = std::filesystem;

namespace {

std::string text_of(const std::vector<std::string>& sentences) {
    std::string text;
    for (const auto& sentence : sentences)
        text += sentence + "\n";
    return text;
}

bool says(const std::vector<std::string>& sentences, const char* what) {
    return text_of(sentences).find(what) != std::string::npos;
}

void fill(const std::string& directory) {
    Opened store(directory);
    store->remember("web", "ann");
    store->save("web", stopped());
    store->save_keys("web", {{"ssh-ed25519", "AAAA", "ann.pub"}});
    store->save_deployment("web", deployment(1));
}

void overwrite(const std::string& file, std::streamoff where, std::size_t size) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(where);
    stream << std::string(size, '#');
}

} // namespace

TEST_CASE("a file that another process holds locked: pgod goes on, says so, and writes when it is free") {
    Directory directory;
    fill(directory.path);
    Opened store(directory.path);
    {
        const Stranger stranger(directory.file());
        stranger.run("BEGIN EXCLUSIVE");
        store->save("web", suspended());
        store->save_keys("web", {});
        store->save_deployment("web", deployment(2));
        store->forget("db");
        CHECK(says(store->problems(), "locked"));
        CHECK(store.problems.size() == 1);
        // What waits counts as written.
        CHECK(store.loaded("web") == suspended());
        CHECK(store->load_keys("web")->empty());
        CHECK(store->deployments("web")->size() == 2);
        store->try_again();
        CHECK(says(store->problems(), "locked"));
        CHECK(store.problems.size() == 1); // the same is said once
    }
    store->try_again();
    CHECK(store->problems().empty());
    CHECK(store.notes.size() == 1);
    Opened after(directory.path);
    CHECK(after.loaded("web") == suspended());
    CHECK(after->load_keys("web")->empty());
    CHECK(after->deployments("web")->size() == 2);
}

TEST_CASE("a file that nobody else may even read at a start: nothing is known, until it can be") {
    Directory directory;
    fill(directory.path);
    auto stranger = std::make_unique<Stranger>(directory.file());
    stranger->run("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE known SET user = 'bob'");
    Opened store(directory.path);
    CHECK(says(store.problems, "services wait"));
    CHECK_FALSE(store->load("web"));
    CHECK_FALSE(store->known());
    CHECK_FALSE(store->load_keys("web"));
    CHECK_FALSE(store->user_of("web"));
    CHECK_FALSE(store->deployments("web"));
    stranger.reset();
    store->try_again();
    CHECK(store.loaded("web") == stopped());
    CHECK(store->problems().empty());
}

TEST_CASE("a full disk: pgod goes on and writes when there is room") {
    Directory directory;
    if (::geteuid() != 0 || ::mount("tmpfs", directory.path.c_str(), "tmpfs", 0, "size=256k") != 0) {
        MESSAGE("not shown: no file system can be mounted here");
        return;
    }
    {
        fill(directory.path);
        Opened store(directory.path);
        const std::string ballast = directory.path + "/ballast";
        std::ofstream(ballast) << std::string(1 << 20, 'x');
        for (std::uint64_t number = 2; number < 100 && store->problems().empty(); ++number)
            store->save_deployment("web", deployment(number));
        CHECK(says(store->problems(), "state.db"));
        store->save("web", suspended());
        store->try_again();
        CHECK_FALSE(store->problems().empty());
        fs::remove(ballast);
        store->try_again();
        CHECK(text_of(store->problems()) == "");
    }
    {
        Opened after(directory.path);
        CHECK(after.loaded("web") == suspended());
    }
    CHECK(::umount(directory.path.c_str()) == 0);
}

TEST_CASE("a read-only file system at a start: what is there is known, and written when that is possible") {
    Directory directory;
    if (::geteuid() != 0 || ::mount("tmpfs", directory.path.c_str(), "tmpfs", 0, "size=1m") != 0) {
        MESSAGE("not shown: no file system can be mounted here");
        return;
    }
    bool left_behind = false;
    SUBCASE("after an orderly end") {}
    SUBCASE("after a crash, with its write-ahead log") {
        left_behind = true;
    }
    fill(directory.path);
    if (left_behind) { // as a pgod that was killed leaves it
        const std::string copy = directory.path + "/copy";
        {
            Opened store(directory.path);
            store->save("web", suspended());
            for (const auto* suffix : {"", "-wal", "-shm"})
                fs::copy_file(directory.file() + suffix, copy + suffix);
        }
        for (const auto* suffix : {"", "-wal", "-shm"})
            fs::rename(copy + suffix, directory.file() + suffix);
    }
    REQUIRE(::mount("", directory.path.c_str(), "", MS_REMOUNT | MS_RDONLY, "") == 0);
    {
        Opened store(directory.path);
        CHECK(store.loaded("web") == (left_behind ? suspended() : stopped()));
        CHECK(store->load_keys("web")->size() == 1);
        CHECK_FALSE(store->problems().empty());
        auto row = deployment(2);
        store->save_deployment("web", row);
        CHECK(store->deployments("web")->size() == 2);
        store->try_again();
        CHECK_FALSE(store->problems().empty());
        REQUIRE(::mount("", directory.path.c_str(), "", MS_REMOUNT, "size=1m") == 0);
        store->try_again();
        CHECK(text_of(store->problems()) == "");
    }
    {
        Opened after(directory.path);
        CHECK(after->deployments("web")->size() == 2);
    }
    CHECK(::umount(directory.path.c_str()) == 0);
}

TEST_CASE("a file that is no database is kept aside, whole, and a new one begun") {
    Directory directory;
    const std::string text = "this is no database, but it is long enough to be looked at";
    std::ofstream(directory.file()) << text;
    {
        Opened store(directory.path);
        CHECK(says(store.problems, "corrupt"));
        CHECK(says(store->problems(), "remove it when"));
        store->save("web", stopped());
    }
    std::vector<std::string> aside;
    for (const auto& entry : fs::directory_iterator(directory.path))
        if (entry.path().filename().string().starts_with("state.db.corrupt-"))
            aside.push_back(entry.path().string());
    REQUIRE(aside.size() == 1);
    std::string kept;
    std::getline(std::ifstream(aside.front()), kept);
    CHECK(kept == text);
    {
        Opened store(directory.path); // said until somebody took it away
        CHECK(says(store->problems(), aside.front().c_str()));
        CHECK(store.loaded("web") == stopped());
    }
    fs::remove(aside.front());
    CHECK(Opened(directory.path)->problems().empty());
}

TEST_CASE("what is legible in a damaged file is taken over") {
    Directory directory;
    fill(directory.path);
    int page = 0;
    {
        const Stranger stranger(directory.file());
        page = stranger.number("SELECT rootpage FROM sqlite_master WHERE name = 'keys'");
        CHECK(stranger.number("PRAGMA page_size") == 4096);
    }
    overwrite(directory.file(), (page - 1) * 4096, 4096);
    Opened store(directory.path);
    CHECK(says(store.problems, "with 1 service that could be read"));
    CHECK(store.loaded("web") == stopped());
    CHECK(store->deployments("web")->size() == 1);
    CHECK(store->known()->size() == 1);
    CHECK(store->load_keys("web")->empty());
}

TEST_CASE("a file that is replaced or removed while pgod runs is written again from what pgod knows") {
    Directory directory;
    fill(directory.path);
    Opened store(directory.path);
    int asked = 0;
    store->on_new_file([&] {
        ++asked;
        store->remember("web", "ann");
        store->save("web", suspended());
    });
    SUBCASE("replaced by rubbish") {
        const std::string garbage = directory.path + "/garbage";
        std::ofstream(garbage) << std::string(10'000, '#');
        fs::rename(garbage, directory.file());
        for (const auto* suffix : {"-wal", "-shm"})
            fs::remove(directory.file() + suffix);
    }
    SUBCASE("gone") {
        for (const auto* suffix : {"", "-wal", "-shm"})
            fs::remove(directory.file() + suffix);
    }
    store->save("web", stopped());
    store->try_again();
    store->save("web", suspended());
    store->try_again();
    Opened after(directory.path);
    INFO(text_of(store.problems));
    CHECK(asked == 1);
    CHECK(after.loaded("web") == suspended());
    CHECK(after->known()->size() == 1);
}

TEST_CASE("corrupt files are not piled up without end") {
    Directory directory;
    for (int i = 0; i < 10; ++i) {
        std::ofstream(directory.file()) << "this is no database, but it is long enough to be looked at";
        Opened store(directory.path);
        CHECK((i < 8) == static_cast<bool>(store->load("web")));
    }
    CHECK(std::distance(fs::directory_iterator(directory.path), fs::directory_iterator()) == 9);
}

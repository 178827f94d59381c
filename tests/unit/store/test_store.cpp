#include "store/store.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace pgod;
using store::Store;
namespace fs = std::filesystem;

namespace {

struct Directory {
    Directory() {
        char pattern[] = "/tmp/pgod-test-XXXXXX";
        path = ::mkdtemp(pattern);
    }
    ~Directory() { fs::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string path;
};

reconcile::Durable stopped() {
    reconcile::Durable durable;
    durable.intent.desired = Desired::stopped;
    durable.intent.by = "ann.pub (SHA256:x) from 192.0.2.1";
    durable.intent.since = reconcile::Time(std::chrono::milliseconds(1'700'000'000'123));
    durable.settled = std::string(40, 'a');
    durable.outcome = Outcome::rolled_back;
    durable.reason = "it's \"broken\"";
    durable.deployments = 42;
    return durable;
}

reconcile::Time at(long long milliseconds) {
    return reconcile::Time(std::chrono::milliseconds(milliseconds));
}

// Every field has a value that no other has.
reconcile::Durable suspended() {
    reconcile::Durable durable = stopped();
    durable.last_good = std::string(40, 'b');
    durable.waiting = std::string(40, 'c');
    durable.suspension =
        reconcile::Suspension{"bob.pub (SHA256:y) from 2001:db8::1", at(1), at(2), "disk is being replaced"};
    durable.quarantine = {{std::string(40, 'd'), "exited with 1", at(3)}, {std::string(40, 'e'), "", at(4)}};
    durable.decision = {"dddddddd is left alone: exited with 1", at(5)};
    return durable;
}

} // namespace

TEST_CASE("what was saved is there after a restart, whole") {
    Directory directory;
    {
        auto store = *Store::open(directory.path);
        CHECK_FALSE(*store.load("web"));
        CHECK(store.save("web", reconcile::Durable{}));
        CHECK(store.save("web", stopped()));
    }
    auto store = *Store::open(directory.path);
    CHECK(store.set_aside().empty());
    CHECK(**store.load("web") == stopped());
    struct stat status {};
    REQUIRE(::stat((directory.path + "/state.db").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("the keys of a service are replaced as a whole and kept apart from another's") {
    Directory directory;
    const std::vector<PublicKey> both{{"ssh-ed25519", "AAAA", "ann.pub"}, {"ssh-ed25519", "BBBB", "bob.pub"}};
    const std::vector<PublicKey> one{{"ssh-rsa", "CCCC", "it's.pub"}};
    {
        auto store = *Store::open(directory.path);
        CHECK(store.save_keys("web", both));
        CHECK(store.save_keys("db", one));
    }
    auto store = *Store::open(directory.path);
    CHECK(*store.load_keys("web") == both);
    CHECK(store.save_keys("web", {}));
    CHECK(store.load_keys("web")->empty());
    CHECK(*store.load_keys("db") == one);
}

TEST_CASE("a service is known until it is forgotten, with all that was kept of it") {
    Directory directory;
    auto store = *Store::open(directory.path);
    CHECK(store.remember("web", "ann"));
    CHECK(store.remember("web", "bob"));
    CHECK(store.save("web", stopped()));
    CHECK(store.save_keys("web", {{"ssh-ed25519", "AAAA", "ann.pub"}}));
    const auto known = *store.known();
    REQUIRE(known.size() == 1);
    CHECK(known[0].name == "web");
    CHECK(known[0].user == "bob");
    CHECK(store.forget("web"));
    CHECK(store.known()->empty());
    CHECK(store.load_keys("web")->empty());
    CHECK_FALSE(*store.load("web"));
}

TEST_CASE("suspension, quarantine and the last decision are kept, and taken back") {
    Directory directory;
    {
        auto store = *Store::open(directory.path);
        CHECK(store.save("web", suspended()));
        CHECK(store.save("db", stopped()));
    }
    {
        auto store = *Store::open(directory.path);
        CHECK(**store.load("web") == suspended());
        CHECK(**store.load("db") == stopped());
        auto open_ended = suspended();
        open_ended.suspension->until.reset();
        open_ended.quarantine.erase(open_ended.quarantine.begin());
        CHECK(store.save("web", open_ended));
        CHECK(**store.load("web") == open_ended);
        CHECK(store.save("web", stopped()));
    }
    auto store = *Store::open(directory.path);
    CHECK(**store.load("web") == stopped());
}

TEST_CASE("of a quarantine that is too long the newest are kept") {
    Directory directory;
    auto store = *Store::open(directory.path);
    auto durable = stopped();
    for (int i = 0; i < 70; ++i)
        durable.quarantine.push_back({fmt::format("{:040}", i), "no", at(i)});
    CHECK(store.save("web", durable));
    const auto kept = (*store.load("web"))->quarantine;
    REQUIRE(kept.size() == reconcile::Durable::max_quarantine);
    CHECK(kept.front().since == at(6));
    CHECK(kept.back() == durable.quarantine.back());
}

TEST_CASE("a file of the first format is brought forward with all that is in it") {
    Directory directory;
    fs::copy_file(PGOD_STATE_V1, directory.path + "/state.db");
    for (int start = 0; start < 2; ++start) {
        auto store = *Store::open(directory.path);
        CHECK(store.set_aside().empty());
        CHECK(**store.load("web") == stopped());
        const auto database = **store.load("db");
        CHECK(database.deployments == 7);
        CHECK(database.last_good == std::string(40, 'b'));
        CHECK(store.load_keys("web")->size() == 1);
        CHECK(store.known()->size() == 2);
        CHECK(store.save("other", suspended()));
        CHECK(**store.load("other") == suspended());
    }
}

// A step that fails half way leaves the file as it was, for the pgod that wrote it.
TEST_CASE("a file that cannot be brought forward is left as it is") {
    Directory directory;
    const std::string path = directory.path + "/state.db";
    fs::copy_file(PGOD_STATE_V1, path);
    const auto version = [&path](const char* sql) {
        sqlite3* raw = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &raw) == SQLITE_OK);
        int found = -1;
        const auto note = [](void* into, int, char** values, char**) {
            *static_cast<int*>(into) = std::stoi(values[0]);
            return 0;
        };
        REQUIRE(sqlite3_exec(raw, sql, note, &found, nullptr) == SQLITE_OK);
        sqlite3_close(raw);
        return found;
    };
    version("CREATE TABLE quarantine (in_the_way TEXT)");
    CHECK_FALSE(Store::open(directory.path));
    CHECK(version("PRAGMA user_version") == 1);
    CHECK(version("SELECT count(*) FROM pragma_table_info('services')") == 8);
}

TEST_CASE("a corrupt database is kept aside and a new one begun") {
    Directory directory;
    std::ofstream(directory.path + "/state.db")
        << "this is no database, but it is long enough to be looked at";
    auto store = *Store::open(directory.path);
    CHECK(fs::exists(store.set_aside()));
    CHECK(store.save("web", stopped()));
}

TEST_CASE("a database of a newer pgod is refused with a sentence and left alone") {
    Directory directory;
    {
        auto store = *Store::open(directory.path);
        CHECK(store.save("web", stopped()));
    }
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open((directory.path + "/state.db").c_str(), &raw) == SQLITE_OK);
    sqlite3_exec(raw, "PRAGMA user_version = 999", nullptr, nullptr, nullptr);
    sqlite3_close(raw);
    auto store = Store::open(directory.path);
    REQUIRE_FALSE(store);
    CHECK(store.error().code == Code::permanent);
    CHECK(store.error().message.find("newer pgod") != std::string::npos);
}

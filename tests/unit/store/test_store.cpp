#include "store/store.hpp"

#include <doctest/doctest.h>
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

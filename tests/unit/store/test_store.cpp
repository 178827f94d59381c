#include "scene.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

using namespace pgod;
using namespace pgod::store;
namespace fs = std::filesystem;

TEST_CASE("what was saved is there after a restart, whole") {
    Directory directory;
    {
        Opened store(directory.path);
        CHECK_FALSE(*store->load("web"));
        store->save("web", reconcile::Durable{});
        store->save("web", stopped());
        CHECK(store.loaded("web") == stopped());
    }
    Opened store(directory.path);
    CHECK(store->problems().empty());
    CHECK(store.loaded("web") == stopped());
    CHECK(store.problems.empty());
    struct stat status {};
    REQUIRE(::stat(directory.file().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("the keys of a service are replaced as a whole and kept apart from another's") {
    Directory directory;
    const std::vector<PublicKey> both{{"ssh-ed25519", "AAAA", "ann.pub"}, {"ssh-ed25519", "BBBB", "bob.pub"}};
    const std::vector<PublicKey> one{{"ssh-rsa", "CCCC", "it's.pub"}};
    {
        Opened store(directory.path);
        store->save_keys("web", both);
        store->save_keys("db", one);
    }
    Opened store(directory.path);
    CHECK(*store->load_keys("web") == both);
    store->save_keys("web", {});
    CHECK(store->load_keys("web")->empty());
    CHECK(*store->load_keys("db") == one);
}

TEST_CASE("a service is known until it is forgotten, with all that was kept of it") {
    Directory directory;
    Opened store(directory.path);
    store->remember("web", "ann");
    store->remember("web", "bob");
    store->save("web", suspended());
    store->save_keys("web", {{"ssh-ed25519", "AAAA", "ann.pub"}});
    store->save_claims("web", {{"a.example.org", 5007, {}}});
    const auto known = *store->known();
    REQUIRE(known.size() == 1);
    CHECK(known[0].name == "web");
    CHECK(known[0].user == "bob");
    CHECK(*store->user_of("web") == "bob");
    store->forget("web");
    CHECK(store->known()->empty());
    CHECK_FALSE(*store->user_of("web"));
    CHECK(store->load_keys("web")->empty());
    CHECK(store->load_claims("web")->empty());
    CHECK_FALSE(*store->load("web"));
}

TEST_CASE("the names that a service asks for are replaced as a whole, and since when each is kept") {
    Directory directory;
    const std::vector<UrlClaim> both{{"a.example.org", 5007, reconcile::Time{std::chrono::hours(7)}},
                                     {"b.example.org", 65535, reconcile::Time{std::chrono::hours(8)}}};
    {
        Opened store(directory.path);
        store->save_claims("web", {{"c.example.org", 1, {}}});
        store->save_claims("web", both);
        store->save_claims("db", {{"d.example.org", 2, {}}});
    }
    Opened store(directory.path);
    CHECK(*store->load_claims("web") == both);
    store->save_claims("web", {});
    CHECK(store->load_claims("web")->empty());
    CHECK(store->load_claims("db")->size() == 1);
}

TEST_CASE("suspension, quarantine and the last decision are kept, and taken back") {
    Directory directory;
    {
        Opened store(directory.path);
        store->save("web", suspended());
        store->save("db", stopped());
    }
    {
        Opened store(directory.path);
        CHECK(store.loaded("web") == suspended());
        CHECK(store.loaded("db") == stopped());
        auto open_ended = suspended();
        open_ended.suspension->until.reset();
        open_ended.quarantine.erase(open_ended.quarantine.begin());
        store->save("web", open_ended);
        CHECK(store.loaded("web") == open_ended);
        store->save("web", stopped());
    }
    Opened store(directory.path);
    CHECK(store.loaded("web") == stopped());
}

TEST_CASE("of a quarantine that is too long the newest are kept") {
    Directory directory;
    Opened store(directory.path);
    auto durable = stopped();
    for (int i = 0; i < 70; ++i)
        durable.quarantine.push_back({fmt::format("{:040}", i), "no", at(i)});
    store->save("web", durable);
    const auto kept = (*store->load("web"))->quarantine;
    REQUIRE(kept.size() == reconcile::Durable::max_quarantine);
    CHECK(kept.front().since == at(6));
    CHECK(kept.back() == durable.quarantine.back());
}

TEST_CASE("a file of the first format is brought forward with all that is in it") {
    Directory directory;
    fs::copy_file(PGOD_STATE_V1, directory.file());
    for (int start = 0; start < 2; ++start) {
        Opened store(directory.path);
        CHECK(store->problems().empty());
        CHECK(store.loaded("web") == stopped());
        const auto database = store.loaded("db");
        CHECK(database.deployments == 7);
        CHECK(database.last_good == std::string(40, 'b'));
        CHECK(store->load_keys("web")->size() == 1);
        CHECK(store->known()->size() == 2);
        store->save("other", suspended());
        CHECK(store.loaded("other") == suspended());
        CHECK(store->deployments("web")->empty());
    }
}

TEST_CASE("the text of a decision outlives a kind that this pgod does not know") {
    Directory directory;
    {
        Opened store(directory.path);
        store->save("web", suspended());
    }
    Stranger(directory.file()).run("UPDATE services SET decision_kind = 'of-another-pgod'");
    Opened store(directory.path);
    const auto decision = store.loaded("web").decision;
    CHECK(decision.kind == DecisionKind::none);
    CHECK(decision.sentence == suspended().decision.sentence);
}

// A step that fails half way leaves the file as it was, for the pgod that wrote it.
TEST_CASE("a file that cannot be brought forward is left as it is") {
    Directory directory;
    fs::copy_file(PGOD_STATE_V1, directory.file());
    const Stranger stranger(directory.file());
    stranger.run("CREATE TABLE quarantine (in_the_way TEXT)");
    CHECK_FALSE(StateFile::open(directory.file()));
    CHECK(stranger.number("PRAGMA user_version") == 1);
    CHECK(stranger.number("SELECT count(*) FROM pragma_table_info('services')") == 8);
}

TEST_CASE("a database of a newer pgod is refused with a sentence and left alone") {
    Directory directory;
    {
        Opened store(directory.path);
        store->save("web", stopped());
    }
    Stranger(directory.file()).run("PRAGMA user_version = 999");
    Store store(directory.path, [](bool, const std::string&) {});
    const auto opened = store.open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Code::permanent);
    CHECK(opened.error().message.find("newer pgod") != std::string::npos);
}

#include "scene.hpp"

using namespace pgod;
using namespace pgod::store;

TEST_CASE("a deployment is written when it begins and again when it ended") {
    Directory directory;
    auto row = deployment(7);
    {
        Opened store(directory.path);
        store->save_deployment("web", row);
        store->save_deployment("db", deployment(7));
    }
    Opened store(directory.path);
    CHECK(*store->deployments("web") == std::vector{row});
    row.ended = at(9'000);
    row.outcome = Outcome::rolled_back;
    row.cause = "permanent";
    row.reason = "web exited with 1";
    store->save_deployment("web", row);
    CHECK(*store->deployments("web") == std::vector{row});
    CHECK(*store->deployments("db") == std::vector{deployment(7)});
    CHECK(store->deployments("other")->empty());
}

TEST_CASE("the newest deployments of each service are kept, newest first") {
    Directory directory;
    Opened store(directory.path);
    store->save_deployment("db", deployment(1));
    for (std::uint64_t number = 1; number <= max_deployments + 5; ++number)
        store->save_deployment("web", deployment(number));
    const auto rows = *store->deployments("web");
    REQUIRE(rows.size() == max_deployments);
    CHECK(rows.front().number == max_deployments + 5);
    CHECK(rows.back().number == 6);
    CHECK(store->deployments("db")->size() == 1);
}

TEST_CASE("a removed service keeps its deployments, and its numbers go on when it comes back") {
    Directory directory;
    auto tombstone = deployment(8);
    tombstone.removed = true;
    {
        Opened store(directory.path);
        store->remember("web", "ann");
        store->save("web", stopped());
        store->save_deployment("web", deployment(7));
        store->save_deployment("web", tombstone);
        store->forget("web");
    }
    Opened store(directory.path);
    CHECK(store->known()->empty());
    CHECK(*store->deployments("web") == std::vector{tombstone, deployment(7)});
    const auto again = store.loaded("web");
    CHECK(again.deployments == 8);
    CHECK(again.intent == reconcile::Intent{});
}

TEST_CASE("of the removed services those that are gone longest are dropped, never one that is served") {
    Directory directory;
    Opened store(directory.path);
    const auto bury = [&store](const std::string& service, std::uint64_t when) {
        auto tombstone = deployment(when);
        tombstone.removed = true;
        store->save_deployment(service, tombstone);
    };
    store->remember("served", "ann");
    bury("served", 1);
    for (std::uint64_t i = 0; i < max_removed_services + 2; ++i)
        bury("gone" + std::to_string(i), 10 + i);
    CHECK(store->deployments("served")->size() == 1);
    CHECK(store->deployments("gone0")->empty());
    CHECK(store->deployments("gone1")->empty());
    CHECK(store->deployments("gone2")->size() == 1);
}

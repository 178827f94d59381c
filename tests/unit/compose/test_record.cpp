#include "compose/record.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

Record sample() {
    Record record;
    record.commit = std::string(40, 'a');
    record.deployment = 12;
    record.compose_file = "deploy/compose.yaml";
    record.plan.project = "demo";
    record.plan.builds = {{"demo_web", "/s/stage", "/s/stage/Containerfile", {{"--build-arg", "A=1"}}}};
    record.plan.volumes = {{"demo_data", {"l=1"}}};
    record.plan.networks = {{"demo_default", {"io.podman.compose.project=demo"}, true}};
    record.plan.containers = {
        {"demo_web_1", "web", {{"--env", "A=\"b\"\nc"}, {"--init", ""}}, "demo_web", {"x", ""}},
        {"demo_db_1", "db", {{"--restart", "unless-stopped"}}, "db:1", {}}};
    record.plan.model.keys = {"services", "x-pgo"};
    record.plan.model.services["web"] = {{"image"}, {{"db", "service_healthy"}}, "always", true};
    record.plan.files = {".env", "deploy/compose.yaml"};
    record.images = {{"demo_web", "id1"}, {"db:1", "id2"}};
    record.containers = {{"demo_web_1", "c1", true, 11}};
    record.without_dns = {"demo_default"};
    record.notes = {"compose.yaml:3: web: platform: pgod ignores this"};
    return record;
}

} // namespace

TEST_CASE("a record is read back as it was written") {
    const auto read = record_from_json(to_json(sample()));
    REQUIRE(read);
    CHECK(*read == sample());
    Record empty;
    empty.commit = std::string(40, '0');
    CHECK(*record_from_json(to_json(empty)) == empty);
}

TEST_CASE("a damaged record is none") {
    const std::string good = to_json(sample());
    CHECK(!record_from_json(""));
    CHECK(!record_from_json("{}"));
    CHECK(!record_from_json(good.substr(0, good.size() / 2)));
    Record unnamed = sample();
    unnamed.commit = "main";
    CHECK(!record_from_json(to_json(unnamed)));
}

TEST_CASE("what a record expects of its containers") {
    Record record = sample();
    auto expected = expected_containers(record);
    REQUIRE(expected.size() == 2);
    CHECK(expected[0].id == "c1");
    CHECK(expected[0].may_end); // it had ended when it was verified
    CHECK(expected[1].id.empty());
    CHECK_FALSE(expected[1].may_end);
    record.containers[0].ended = false;
    CHECK_FALSE(expected_containers(record)[0].may_end);
    record.containers.clear();
    CHECK_FALSE(expected_containers(record)[0].may_end);
    // what others wait for may end later, unless a restart policy says otherwise
    record.plan.model.services["app"].depends_on = {{"web", "service_completed_successfully"},
                                                    {"db", "service_completed_successfully"}};
    expected = expected_containers(record);
    CHECK(expected[0].may_end);
    CHECK_FALSE(expected[1].may_end);
}

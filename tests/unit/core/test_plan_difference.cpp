#include "core/plan_difference.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgod;

namespace {

Plan running_plan() {
    Plan plan;
    plan.project = "shop";
    plan.containers = {
        {"shop_web_1", "web", {{"--env", "A=1"}, {"--publish", "80:80"}}, "web:1", {"run", "it"}},
        {"shop_db_1", "db", {}, "db:1", {}},
        {"shop_old_1", "old", {}, "old:1", {}}};
    plan.networks = {{"shop_default", {}, false}};
    plan.volumes = {{"shop_data", {}}, {"shop_more", {}}};
    return plan;
}

std::string told(const std::vector<std::string>& lines) {
    std::string all;
    for (const auto& line : lines)
        all += line + "\n";
    return all;
}

} // namespace

TEST_CASE("a plan is no different from itself") {
    const auto difference = difference_of(running_plan(), running_plan());
    for (const auto& container : difference.containers)
        CHECK(container.change == Change::unchanged);
    CHECK(difference.containers.size() == 3);
    CHECK(difference.networks == std::vector<NameDifference>{{Change::unchanged, "shop_default"}});
}

TEST_CASE("what nothing ran of is added, and what is planned no more is removed") {
    for (const auto& container : difference_of({}, running_plan()).containers)
        CHECK(container.change == Change::added);
    const auto gone = difference_of(running_plan(), {});
    for (const auto& container : gone.containers)
        CHECK(container.change == Change::removed);
    CHECK(gone.volumes.size() == 2);
    CHECK(gone.volumes[1] == NameDifference{Change::removed, "shop_more"});
}

TEST_CASE("how a container changes") {
    Plan next = running_plan();
    next.containers.pop_back();
    next.containers[0].image = "web:2";
    next.containers[0].command = {"run", "that"};
    next.containers[0].options = {{"--publish", "81:80"}, {"--env", "A=1"}, {"--init", ""}};
    next.containers.insert(next.containers.begin(), {"shop_new_1", "new", {}, "new:1", {}});
    next.networks[0].internal = true;
    const auto difference = difference_of(running_plan(), next);
    REQUIRE(difference.containers.size() == 4);
    CHECK(difference.containers[0] == ContainerDifference{Change::added, "shop_new_1", "new", {}});
    CHECK(difference.containers[1].change == Change::changed);
    CHECK(told(difference.containers[1].how) ==
          "- image web:1\n+ image web:2\n- command run it\n+ command run that\n"
          "- --publish=80:80\n+ --init\n+ --publish=81:80\n");
    CHECK(difference.containers[2].change == Change::unchanged);
    CHECK(difference.containers[3] == ContainerDifference{Change::removed, "shop_old_1", "old", {}});
    CHECK(difference.networks[0].change == Change::changed);

    Plan swapped = running_plan();
    std::swap(swapped.containers[0].options[0], swapped.containers[0].options[1]);
    CHECK(told(difference_of(running_plan(), swapped).containers[0].how) ==
          "its options are given in another order\n");
}

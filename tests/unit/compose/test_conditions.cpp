#include "compose/conditions.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace pgod;
using namespace pgod::compose;

TEST_CASE("which conditions the containers of a level have") {
    Plan plan;
    plan.containers = {{"db_1", "db", {}, "i", {}},
                       {"db_2", "db", {}, "i", {}},
                       {"init_1", "init", {}, "i", {}},
                       {"app_1", "app", {}, "i", {}},
                       {"app_2", "app", {}, "i", {}}};
    plan.model.services["app"].depends_on = {{"db", "service_healthy"},
                                             {"init", "service_completed_successfully"}};
    plan.model.services["init"].depends_on = {{"db", "service_started"}};
    const std::array<std::size_t, 1> init{2};
    CHECK(conditions_of(plan, init).empty());
    const std::array<std::size_t, 2> apps{3, 4};
    CHECK(conditions_of(plan, apps) == std::vector<Condition>{{"app", "db", true, "db_1"},
                                                              {"app", "db", true, "db_2"},
                                                              {"app", "init", false, "init_1"}});
}

TEST_CASE("whether a condition holds") {
    struct Row {
        bool healthy;
        const char* state;
        int exit_code;
        ContainerHealth health;
        bool holds;
        const char* problem;
    };
    const Row rows[] = {
        {true, "running", 0, ContainerHealth::healthy, true, ""},
        {true, "running", 0, ContainerHealth::starting, false, ""},
        {true, "running", 0, ContainerHealth::unhealthy, false, ""},
        {true, "running", 0, ContainerHealth::none, false,
         "app waits for db to be healthy, but it has no healthcheck"},
        {true, "exited", 0, ContainerHealth::starting, false,
         "app waits for db to be healthy, but it exited with status 0"},
        {false, "running", 0, ContainerHealth::none, false, ""},
        {false, "exited", 0, ContainerHealth::none, true, ""},
        {false, "exited", 2, ContainerHealth::none, false,
         "app waits for db to end with 0, but it exited with status 2"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.problem);
        const Condition condition{"app", "db", row.healthy, "db_1"};
        Container container;
        container.name = "db_1";
        container.state = row.state;
        container.exit_code = row.exit_code;
        container.health = row.health;
        const auto found = holds(condition, std::vector<Container>{container});
        CHECK((found ? "" : found.error().message) == row.problem);
        CHECK((found && *found) == row.holds);
    }
    CHECK(holds({"app", "db", true, "db_1"}, {}).error().message ==
          "app waits for db to be healthy, but it has no container");
}

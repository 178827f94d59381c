#include "compose/start_order.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

using Levels = std::vector<std::vector<std::size_t>>;

Plan plan_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& services) {
    Plan plan;
    for (const auto& [name, dependencies] : services) {
        plan.containers.push_back({"demo_" + name, name, {}, "bb", {}});
        for (const auto& dependency : dependencies)
            plan.model.services[name].depends_on[dependency] = "";
    }
    return plan;
}

} // namespace

TEST_CASE("containers start side by side, after what they depend on") {
    CHECK(start_levels({}) == Levels{});
    CHECK(start_levels(plan_of({{"a", {}}, {"b", {}}})) == Levels{{0, 1}});
    CHECK(start_levels(plan_of({{"web", {"db"}}, {"db", {}}, {"x", {}}})) == Levels{{1, 2}, {0}});
    CHECK(start_levels(plan_of({{"c", {"b"}}, {"b", {"a"}}, {"a", {}}})) == Levels{{2}, {1}, {0}});
    CHECK(start_levels(plan_of({{"a", {"a"}}})) == Levels{{0}});
    CHECK(start_levels(plan_of({{"a", {"nowhere"}}})) == Levels{{0}});
    // a circle, and something that waits for it
    CHECK(start_levels(plan_of({{"a", {"b"}}, {"b", {"a"}}, {"c", {"b"}}, {"d", {}}})) ==
          Levels{{3}, {0}, {1}, {2}});
    // two containers of one compose service
    CHECK(start_levels(plan_of({{"db", {}}, {"web", {"db"}}, {"db", {}}})) == Levels{{0, 2}, {1}});
}

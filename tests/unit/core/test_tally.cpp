#include "core/tally.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace pgod;
using namespace std::chrono_literals;

TEST_CASE("a histogram puts each span where it belongs") {
    struct Row {
        std::chrono::milliseconds span;
        std::size_t bucket;
    };
    const Row rows[] = {
        {0ms, 0}, {50ms, 0}, {51ms, 1},   {100ms, 1},       {101ms, 2}, {1s, 4},   {1001ms, 5},
        {60s, 9}, {61s, 10}, {1800s, 13}, {1800'001ms, 14}, {24h, 14},  {-5ms, 0},
    };
    for (const auto& row : rows) {
        CAPTURE(row.span.count());
        Histogram histogram;
        histogram.add(row.span);
        CHECK(histogram.counts[row.bucket] == 1);
        CHECK(histogram.count() == 1);
        CHECK(histogram.sum == std::max(row.span, 0ms));
    }
    Histogram several;
    for (const auto& row : rows)
        several.add(row.span);
    CHECK(several.count() == std::size(rows));
}

TEST_CASE("a tally counts by service, outcome and reason") {
    Tally tally;
    tally.deployed("web", Outcome::ok);
    tally.deployed("web", Outcome::ok);
    tally.deployed("web", Outcome::rolled_back);
    tally.deployed("shop", Outcome::cancelled);
    CHECK(tally.deployments_of("web") == PerOutcome{2, 0, 0, 1, 0, 0});
    CHECK(tally.deployments_of("shop") == PerOutcome{0, 0, 0, 0, 0, 1});
    CHECK(tally.deployments_of("never") == PerOutcome{});

    tally.synced(120ms, true);
    tally.synced(3s, false);
    CHECK(tally.host.syncs.count() == 2);
    CHECK(tally.host.failed_syncs == 1);
    tally.deployment_took(Outcome::failed, 7s);
    CHECK(tally.host.deployments[index_of(Outcome::failed)].sum == 7s);
    tally.refused(Refusal::unknown_key);
    CHECK(tally.host.refusals[index_of(Refusal::unknown_key)] == 1);
    tally.deadline_passed(Deadline::work);
    CHECK(tally.host.deadlines[index_of(Deadline::work)] == 1);
}

TEST_CASE("the lists of values are whole, in order, and their names differ") {
    const auto check = [](const auto& values) {
        std::set<std::string_view> names;
        for (std::size_t i = 0; i < values.size(); ++i) {
            CHECK(index_of(values[i]) == i);
            names.insert(name_of(values[i]));
        }
        CHECK(names.size() == values.size());
    };
    check(all_refusals);
    check(all_deadlines);
    check(all_outcomes);
    check(all_health);
    check(all_desired);
}

#include "compose/stopping.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgod::compose;
using namespace std::chrono_literals;

TEST_CASE(
    "podman stops three containers a processor and one more side by side, and restarts one after the other") {
    const auto few = stop_times_of("10\n60\n10\n\n", 1);
    CHECK(few.together == 60s);
    CHECK(few.one_after_another == 80s);
    CHECK_FALSE(few.too_long);
    CHECK(stop_times_of("10\n10\n10\n10\n60\n", 1).together == 120s);
    CHECK(stop_times_of("10\n10\n10\n10\n60\n", 2).together == 60s);
    CHECK(stop_times_of("", 2).together == 0s);
}

TEST_CASE("a period that is longer than pgod permits, or no number, is cut") {
    for (const char* const period : {"601", "4294967295", "99999999999999999999", "-1", "<no value>"}) {
        CAPTURE(period);
        const auto times = stop_times_of(period, 2);
        CHECK(times.together == 600s);
        CHECK(times.too_long);
        pgod::Argv arguments{"rm"};
        cut_short(arguments, times);
        CHECK(arguments == pgod::Argv{"rm", "--time", "600"});
    }
    pgod::Argv arguments{"rm"};
    cut_short(arguments, stop_times_of("600\n0\n", 2));
    CHECK(arguments == pgod::Argv{"rm"});
}

TEST_CASE("the file's own period counts where the container was made with a shorter one") {
    auto times = stop_times_of("10\n20\n", 2);
    pgod::Argv arguments{"rm"};
    give_at_least(arguments, times, 20s);
    CHECK(arguments == pgod::Argv{"rm"});
    give_at_least(arguments, times, 60s);
    CHECK(arguments == pgod::Argv{"rm", "--time", "60"});
    CHECK(removal_deadline(times) == 180s);
    auto many = stop_times_of("10\n10\n10\n10\n10\n", 1);
    pgod::Argv removal{"rm"};
    give_at_least(removal, many, 60s);
    CHECK(removal_deadline(many) == 240s); // in two rounds
    pgod::Plan plan;
    plan.containers.push_back({"c", "web", {{"--stop-timeout", "60"}}, "i", {}});
    CHECK(longest_period(plan) == 60s);
    CHECK(longest_period({}) == 0s);
}

TEST_CASE("a removal has the periods of its containers, round by round, and podman's own time") {
    CHECK(removal_deadline({60s, 80s, 60s, false}) == 180s);
    CHECK(removal_deadline({}) == 120s);
    CHECK(removal_deadline(stop_times_of("600\n", 1)) == longest_removal);
    std::string periods;
    for (int i = 0; i < 9; ++i)
        periods += "600\n";
    CHECK(removal_deadline(stop_times_of(periods, 1)) == 120s + 3 * 600s); // four at a time
}

#include "daemon/command_rate.hpp"
#include "daemon/strangers.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::daemon;
using namespace std::chrono_literals;

TEST_CASE("a key has its burst, then its rate, and takes nothing from another") {
    CommandRate rate;
    const CommandRate::Clock::time_point start{1h};
    for (unsigned i = 0; i < CommandRate::burst; ++i)
        REQUIRE(rate.take("one", start));
    CHECK(!rate.take("one", start));
    CHECK(rate.take("two", start));
    CHECK(!rate.take("one", start + 9ms));
    CHECK(rate.take("one", start + 10ms));
    CHECK(!rate.take("one", start + 10ms));
    unsigned taken = 0;
    for (auto now = start + 1min; now < start + 2min; now += 5ms)
        taken += rate.take("one", now) ? 1U : 0U;
    CHECK(taken == 60 * CommandRate::per_second + CommandRate::burst - 1);
}

TEST_CASE("however many callers there are, they are all served and the table stays small") {
    CommandRate rate;
    const CommandRate::Clock::time_point start{1h};
    for (std::size_t i = 0; i < 3 * CommandRate::max_callers; ++i)
        REQUIRE(rate.take(std::to_string(i), start));
}

TEST_CASE("strangers are counted by address and minute") {
    Strangers strangers;
    const reconcile::Time start{1'795'219'200s};
    CHECK(strangers.empty());
    strangers.note("192.0.2.1", 0, start);
    strangers.note("[2001:db8::1]", 3, start + 5s);
    strangers.note("[2001:db8::1]", 2, start + 59s);
    CHECK(strangers.take() ==
          std::vector<std::string>{
              R"({"time":"2026-11-21T00:00:00Z","from":"[2001:db8::1]","connections":2,"unknown_keys":5})"
              "\n",
              R"({"time":"2026-11-21T00:00:00Z","from":"192.0.2.1","connections":1,"unknown_keys":0})"
              "\n"});
    CHECK(strangers.empty());
    CHECK(strangers.take().empty());
}

TEST_CASE("an attack from everywhere is some lines a minute") {
    Strangers strangers;
    for (int i = 0; i < 100'000; ++i)
        strangers.note("10." + std::to_string(i % 250) + "." + std::to_string(i / 250) + ".1", 1, {});
    const auto lines = strangers.take();
    CHECK(lines.size() == Strangers::max_addresses + 1);
    CHECK(lines.front().find(R"("from":"others","connections":99)") != std::string::npos);
}

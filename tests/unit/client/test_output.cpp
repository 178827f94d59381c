#include "client/output.hpp"

#include <doctest/doctest.h>

using namespace pgod::client;

// What is written goes to the test's own stdout and stderr; only what is held back is looked at.
TEST_CASE("only a refusal is held back") {
    const std::string refusal = "Unauthorized: Key for user \"x\" does not match any for name svc\n";
    SUBCASE("whole") {
        Output output(true);
        CHECK(output.take(true, refusal));
        CHECK(output.take_refusal() == refusal);
        CHECK(output.take_refusal().empty());
    }
    SUBCASE("in pieces") {
        Output output(true);
        for (const char c : refusal)
            CHECK(output.take(true, std::string_view(&c, 1)));
        CHECK(output.take_refusal() == refusal);
    }
    SUBCASE("other words on stderr are not one") {
        Output output(true);
        CHECK(output.take(true, "Unauth"));
        CHECK(output.take(true, "entic\n"));
        CHECK(output.take_refusal().empty());
    }
    SUBCASE("an unfinished beginning is not one") {
        Output output(true);
        CHECK(output.take(true, "Unauth"));
        CHECK(output.take_refusal().empty());
        output.release();
    }
    SUBCASE("nothing is, after output") {
        Output output(true);
        CHECK(output.take(false, "(output of a test)\n"));
        CHECK(output.take(true, refusal));
        CHECK(output.take_refusal().empty());
    }
    SUBCASE("nor before it") {
        Output output(true);
        CHECK(output.take(true, refusal));
        CHECK(output.take(false, "(output of a test)\n"));
        CHECK(output.take_refusal().empty());
    }
    SUBCASE("nor one without end") {
        Output output(true);
        CHECK(output.take(true, refusal + std::string(max_refusal, '.') + "\n"));
        CHECK(output.take_refusal().empty());
    }
}

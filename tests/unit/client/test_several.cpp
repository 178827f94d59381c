#include "client/line_prefix.hpp"
#include "client/several.hpp"

#include <doctest/doctest.h>

using namespace pgod::client;

TEST_CASE("each line begins with its host, however it arrives") {
    LinePrefix lines("a: ");
    CHECK(lines.take("one\ntw") == "a: one\n");
    CHECK(lines.take("").empty());
    CHECK(lines.take("o\n\nthree") == "a: two\na: \n");
    CHECK(lines.rest() == "a: three\n");
    CHECK(lines.rest().empty());
    const std::string cut = lines.take(std::string(LinePrefix::max_held + 10, 'x'));
    CHECK(cut.size() == LinePrefix::max_held + 10 + 4); // held no longer
}

TEST_CASE("the worst of several statuses") {
    CHECK(worse_status(0, 0) == 0);
    CHECK(worse_status(0, 75) == 75);
    CHECK(worse_status(75, 1) == 1);
    CHECK(worse_status(69, 65) == 69);
    CHECK(worse_status(80, 81) == 81);
}

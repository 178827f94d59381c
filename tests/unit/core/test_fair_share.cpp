// One user never holds every place, and a place that is given back is there again.
#include "core/fair_share.hpp"

#include <doctest/doctest.h>

using pgod::FairShare;

namespace {

constexpr FairShare::User ann = 1001;
constexpr FairShare::User ben = 1002;
constexpr FairShare::User cid = 1003;

} // namespace

TEST_CASE("a user with a full share leaves places to others") {
    FairShare share(4, 2);
    share.take(ann);
    CHECK(share.has_room_for(ann));
    share.take(ann);
    CHECK_FALSE(share.has_room_for(ann));
    CHECK(share.has_room_for(ben));
    share.give_back(ann);
    CHECK(share.has_room_for(ann));
}

TEST_CASE("the total holds for all users together") {
    FairShare share(3, 2);
    share.take(ann);
    share.take(ann);
    CHECK_FALSE(share.full());
    share.take(ben);
    CHECK(share.full());
    CHECK_FALSE(share.has_room_for(ben));
    CHECK_FALSE(share.has_room_for(cid));
    share.give_back(ann);
    CHECK(share.has_room_for(cid));
}

TEST_CASE("a user who holds nothing has nothing to give back") {
    FairShare share(1, 1);
    share.take(ann);
    share.give_back(ben);
    CHECK(share.full());
}

TEST_CASE("a total that shrinks takes nothing away") {
    FairShare share(2, 2);
    share.take(ann);
    share.take(ben);
    share.set_limits(1, 1);
    CHECK(share.taken() == 2);
    share.give_back(ann);
    CHECK(share.full());
    CHECK(share.held_by(ann) == 0);
    CHECK(share.held_by(ben) == 1);
    share.give_back(ben);
    CHECK(share.has_room_for(ann));
}

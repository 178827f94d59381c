// How many places of each kind the host has, and that no kind takes those of another.
#include "daemon/places.hpp"

#include <doctest/doctest.h>

#include <list>

using namespace pgod;
using namespace pgod::daemon;
using reconcile::Place;

namespace {

constexpr WorkSlots::User ann = 1001;
constexpr WorkSlots::User ben = 1002;

// As many as there are for one user.
std::size_t room_of(Places& places, Place place) {
    std::list<WorkSlots::Slot> taken;
    while (places.of(place).free_for(ann) && taken.size() < 1000)
        taken.emplace_back(places.of(place), ann);
    return taken.size();
}

} // namespace

TEST_CASE("a user has a quarter of the places to prepare, and one of several half of those to switch") {
    struct Row {
        std::size_t parallel;
        std::size_t users;
        std::size_t preparing;
        std::size_t switching;
    };
    for (const Row row : {Row{1, 1, 2, 1}, Row{4, 1, 2, 4}, Row{8, 1, 4, 8}, Row{64, 1, 32, 64},
                          Row{1, 2, 2, 1}, Row{4, 2, 2, 2}, Row{8, 9, 4, 4}}) {
        CAPTURE(row.parallel);
        CAPTURE(row.users);
        Places places(row.parallel, row.users);
        CHECK(room_of(places, Place::preparing) == row.preparing);
        CHECK(room_of(places, Place::switching) == row.switching);
        CHECK(room_of(places, Place::healing) == 4);
    }
}

TEST_CASE("work of one kind takes no place of another, and a full share leaves room to other users") {
    Places places(1, 2);
    std::list<WorkSlots::Slot> taken;
    for (int i = 0; i < 2; ++i)
        taken.emplace_back(places.of(Place::preparing), ann);
    CHECK(places.room_for(ann) == reconcile::Room{false, true, true});
    CHECK(places.room_for(ben) == reconcile::Room{true, true, true});
    taken.emplace_back(places.of(Place::switching), ann);
    CHECK(places.room_for(ben) == reconcile::Room{true, false, true});
    places.set_parallel(2, 2);
    CHECK(places.room_for(ben) == reconcile::Room{true, true, true});
    places.close();
    CHECK(places.room_for(ben) == reconcile::Room{false, false, false});
}

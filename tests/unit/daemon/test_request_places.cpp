// Who gets one of the places for requests over SSH, and who loses one; and how users.sock is shared.
#include "daemon/request_places.hpp"
#include "daemon/users_share.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod::daemon;
using Bound = RequestPlaces::Bound;
using Id = RequestPlaces::Id;

namespace {

const RequestPlaces::Claim admin{{}, {}, true};

RequestPlaces::Claim of(const std::string& service, const std::string& user) {
    return {service, user};
}

// Ascending ids, as the supervisor gives them.
struct House {
    RequestPlaces places;
    Id last = 0;

    RequestPlaces::Decision ask(const RequestPlaces::Claim& claim) { return places.ask(++last, claim); }
    // How many of `count` requests got a place without taking another's.
    int fill(const RequestPlaces::Claim& claim, int count) {
        int placed = 0;
        for (int i = 0; i < count; ++i) {
            const auto decision = ask(claim);
            placed += !decision.refused_by && !decision.evicted ? 1 : 0;
        }
        return placed;
    }
};

} // namespace

TEST_CASE("each bound refuses one more of its largest holder, and names itself") {
    struct Row {
        std::string what;
        std::vector<std::pair<RequestPlaces::Claim, int>> held; // and how many of them must get in
        RequestPlaces::Claim newcomer;
        std::optional<Bound> refused_by;
    };
    const std::vector<Row> table{
        {"an empty host", {}, of("a", "ann"), {}},
        {"below the service's", {{of("a", "ann"), 31}}, of("a", "ann"), {}},
        {"the service's", {{of("a", "ann"), 32}}, of("a", "ann"), Bound::service},
        {"another service's is its own", {{of("a", "ann"), 32}}, of("b", "ann"), {}},
        {"the user's", {{of("a", "ann"), 20}, {of("b", "ann"), 20}}, of("b", "ann"), Bound::user},
        {"another user's is their own", {{of("a", "ann"), 32}, {of("b", "ann"), 8}}, of("c", "ben"), {}},
        {"that of all but admins", {{of("a", "ann"), 28}, {of("b", "ben"), 28}}, of("b", "ben"), Bound::host},
        {"the host's", {{admin, 32}, {of("a", "ann"), 32}}, of("a", "ann"), Bound::service},
        {"the host's, with room in the service",
         {{admin, 32}, {of("a", "ann"), 16}, {of("b", "ben"), 16}},
         of("b", "ben"),
         Bound::host},
        {"the admins'", {{admin, 32}}, admin, Bound::admins},
        {"the admins' leaves others theirs", {{admin, 32}}, of("a", "ann"), {}},
    };
    for (const Row& row : table) {
        CAPTURE(row.what);
        House house;
        for (const auto& [claim, count] : row.held)
            REQUIRE(house.fill(claim, count) == count);
        const auto decision = house.ask(row.newcomer);
        CHECK(decision.refused_by == row.refused_by);
        CHECK_FALSE(decision.evicted);
    }
}

TEST_CASE("on a full host, an admin or a smaller holder takes the place of the largest one's oldest") {
    House house;
    REQUIRE(house.fill(of("small", "ann"), 4) == 4);   // 1…4
    REQUIRE(house.fill(of("large", "ann"), 26) == 26); // 5…30
    REQUIRE(house.fill(of("ours", "ben"), 26) == 26);  // 31…56
    SUBCASE("a service that holds nothing") {
        CHECK(house.ask(of("new", "cid")).evicted == 5); // of the largest user the largest service's oldest
        CHECK(house.ask(of("new", "cid")).evicted == 6);
    }
    SUBCASE("admins have places of their own before they take one") {
        CHECK(house.fill(admin, 8) == 8);
        CHECK(house.ask(admin).evicted == 5);
        CHECK(house.ask(of("new", "cid")).evicted == 6);
    }
    SUBCASE("a service of the largest user takes from that user") {
        CHECK(house.ask(of("new", "ann")).evicted == 5);
    }
    SUBCASE("a user takes up to an equal share, and no more") {
        int taken = 0;
        for (int i = 0; i < 64; ++i)
            taken += house.ask(of("new", "cid")).evicted ? 1 : 0;
        CHECK(taken == 18); // ann and ben keep 19 each
    }
    SUBCASE("nobody takes from a user who holds less") {
        CHECK(house.ask(of("one", "ben")).evicted == 5);
        CHECK(house.ask(of("two", "ben")).evicted == 6); // 28 each
        CHECK(house.ask(of("three", "ben")).evicted == 31);
        CHECK(house.ask(of("four", "ben")).evicted == 32);
    }
}

TEST_CASE("a user's services share the user's places alike") {
    House house;
    REQUIRE(house.fill(of("large", "ann"), 32) == 32);
    REQUIRE(house.fill(of("small", "ann"), 8) == 8);
    SUBCASE("one that holds nothing") {
        CHECK(house.ask(of("new", "ann")).evicted == 1);
    }
    SUBCASE("one that holds less") {
        for (Id id = 1; id <= 12; ++id)
            REQUIRE(house.ask(of("small", "ann")).evicted == id);
        CHECK(house.ask(of("small", "ann")).refused_by == Bound::user); // 20 each
    }
}

TEST_CASE("nobody loses their only place") {
    House house;
    for (int i = 0; i < 56; ++i) {
        const auto number = std::to_string(i);
        REQUIRE(house.fill(of("s" + number, "u" + number), 1) == 1);
    }
    CHECK(house.ask(of("new", "cid")).refused_by == Bound::host);
    CHECK(house.ask(of("new", "u1")).refused_by == Bound::host);
    REQUIRE(house.fill(admin, 8) == 8);
    CHECK(house.ask(admin).refused_by == Bound::host);
    house.places.ended(7);
    CHECK_FALSE(house.ask(of("new", "cid")).refused_by);
}

TEST_CASE("a request that has ended yields first, to anybody whose bound it is in the way of") {
    House house;
    REQUIRE(house.fill(of("a", "ann"), 32) == 32);
    REQUIRE(house.fill(of("b", "ben"), 24) == 24);
    house.places.finished(20);
    house.places.finished(40);
    SUBCASE("to its service") {
        CHECK(house.ask(of("a", "ann")).evicted == 20);
        CHECK(house.ask(of("a", "ann")).refused_by == Bound::service);
    }
    SUBCASE("to others, the oldest first") {
        CHECK(house.ask(of("b", "ben")).evicted == 20);
        CHECK(house.ask(of("b", "ben")).evicted == 40);
        CHECK(house.ask(of("b", "ben")).evicted == 1);
    }
    SUBCASE("once") {
        house.places.ended(20);
        CHECK_FALSE(house.ask(of("a", "ann")).evicted);
    }
}

TEST_CASE("an admin never loses a place that is in use") {
    House house;
    REQUIRE(house.fill(admin, 32) == 32);
    REQUIRE(house.fill(of("a", "ann"), 32) == 32);
    CHECK(house.ask(of("new", "cid")).evicted == 33);
    CHECK(house.ask(admin).refused_by == Bound::admins);
    house.places.finished(3);
    CHECK(house.ask(admin).evicted == 3);
}

TEST_CASE("users who take as many connections as they get leave one to each who has none") {
    struct Row {
        std::size_t users;
        std::size_t left_to_another; // at least
    };
    for (const auto& [users, left] : {Row{0, most_of_one_user}, {1, 13}, {8, 3}, {32, 1}, {66, 1}}) {
        CAPTURE(users);
        std::size_t all = 0;
        const auto take = [&all] { // one after the other: who comes first gets most
            std::size_t held = 0;
            for (; held < share_of_user(all); ++held)
                ++all;
            return held;
        };
        for (std::size_t user = 0; user < users; ++user)
            CHECK(take() <= most_of_one_user);
        CHECK(take() >= left);
    }
    CHECK(share_of_user(most_of_users) == 0);
}

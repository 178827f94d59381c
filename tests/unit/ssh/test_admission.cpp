#include "daemon/ssh_admission.hpp"

#include <doctest/doctest.h>

using namespace pgod::daemon;
using namespace std::chrono_literals;

namespace {

const Admission::Clock::time_point start{};

const pgod::Address here = *pgod::parse_address("192.0.2.1");
const pgod::Address there = *pgod::parse_address("192.0.2.2");

Admission house(std::size_t connections, std::size_t strangers) {
    return Admission({connections, strangers, 10s});
}

} // namespace

TEST_CASE("a full number of strangers costs the oldest its place, never the new one") {
    auto admission = house(10, 2);
    CHECK(admission.arrive(1, here, start).evicted == std::nullopt);
    CHECK(admission.arrive(2, here, start).evicted == std::nullopt);
    const auto third = admission.arrive(3, here, start);
    CHECK(third.admitted);
    CHECK(third.evicted == 1);
    admission.ended(2);
    CHECK(admission.arrive(4, here, start).evicted == std::nullopt);
    CHECK(admission.arrive(5, here, start).evicted == 3);
}

TEST_CASE("who floods takes places from himself") {
    auto admission = house(10, 3);
    admission.arrive(1, there, start);
    for (Admission::Id id = 2; id <= 3; ++id)
        admission.arrive(id, here, start);
    for (Admission::Id id = 4; id < 100; ++id)
        CHECK(admission.arrive(id, here, start).evicted == id - 2);
    CHECK(admission.arrive(100, there, start).evicted == 1); // two and two then: the oldest of all leaves
    CHECK(admission.arrive(101, *pgod::parse_address("192.0.2.3"), start).evicted == 98);
    const auto six = [](int host) {
        return *pgod::parse_address("2001:db8::" + std::to_string(host));
    };
    auto other = house(10, 3); // every address of a network is one
    other.arrive(1, there, start);
    other.arrive(2, six(1), start);
    other.arrive(3, six(2), start);
    CHECK(other.arrive(4, six(3), start).evicted == 2);
}

TEST_CASE("nobody leaves before his grace is over, and nobody waits where there is room") {
    auto admission = house(10, 2);
    CHECK(admission.opens_at() <= start);
    admission.arrive(1, here, start);
    CHECK(admission.opens_at() <= start);
    admission.arrive(2, here, start + 50ms);
    CHECK(admission.opens_at() == start + 100ms);
    CHECK(admission.arrive(3, here, start + 100ms).evicted == 1);
    CHECK(admission.opens_at() == start + 150ms);
    admission.keep(2);
    CHECK(admission.opens_at() <= start);
    auto full = house(1, 1);
    full.arrive(1, here, start);
    full.keep(1);
    CHECK(full.opens_at() <= start); // to turn away costs nobody anything
}

TEST_CASE("a connection whose request holds a place is never evicted") {
    auto admission = house(10, 2);
    admission.arrive(1, here, start);
    admission.keep(1);
    admission.arrive(2, here, start);
    admission.arrive(3, here, start);
    CHECK(admission.arrive(4, here, start).evicted == 2);
    CHECK(admission.arrive(5, here, start).evicted == 3);
}

TEST_CASE("a full house evicts a stranger; a house full of requests turns away") {
    auto admission = house(3, 3);
    for (Admission::Id id = 1; id <= 2; ++id) {
        admission.arrive(id, here, start);
        admission.keep(id);
    }
    admission.arrive(3, here, start);
    const auto fourth = admission.arrive(4, here, start);
    CHECK(fourth.admitted);
    CHECK(fourth.evicted == 3);
    admission.keep(4);
    const auto fifth = admission.arrive(5, here, start);
    CHECK(!fifth.admitted);
    CHECK(fifth.evicted == std::nullopt);
    admission.ended(1);
    CHECK(admission.arrive(6, here, start).admitted);
}

TEST_CASE("a stranger's deadline runs from its arrival, and ends with its request") {
    auto admission = house(10, 10);
    CHECK(admission.next_deadline() == std::nullopt);
    admission.arrive(1, here, start);
    admission.arrive(2, here, start + 1s);
    CHECK(admission.next_deadline() == start + 10s);
    CHECK(admission.overdue(start + 9999ms) == std::nullopt);
    CHECK(admission.overdue(start + 10s) == 1);
    admission.keep(1);
    CHECK(admission.overdue(start + 10s) == std::nullopt);
    CHECK(admission.overdue(start + 11s) == 2);
    admission.ended(2);
    CHECK(admission.next_deadline() == std::nullopt);
}

TEST_CASE("what is said of somebody who is gone changes nothing") {
    auto admission = house(1, 1);
    admission.keep(7);
    admission.ended(7);
    CHECK(admission.arrive(8, here, start).admitted);
}

TEST_CASE("a request that lost its place yields like a stranger, oldest first, and has a deadline again") {
    auto admission = house(3, 3);
    for (Admission::Id id = 1; id <= 3; ++id) {
        admission.arrive(id, here, start);
        admission.keep(id);
    }
    admission.release(2, start + 5s);
    CHECK(admission.next_deadline() == start + 15s);
    CHECK(admission.opens_at() == start + 5100ms); // it may say goodbye
    CHECK(admission.arrive(4, there, start + 6s).evicted == 2);
    admission.release(2, start + 6s); // which is gone
    CHECK(admission.next_deadline() == start + 16s);
}

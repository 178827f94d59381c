// Who waits for a deployment slot gets it in the order of asking, commands first.
#include "daemon/work_slots.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>

using pgod::daemon::WorkSlots;

namespace {

struct Host {
    WorkSlots slots{2};
    std::list<WorkSlots::Slot> taken;
    std::string begun;
    std::string unready = "-"; // whose name begins with that
    void ask(const std::string& service, bool first = false) {
        slots.wait(
            service, first, [this, service] { return !service.starts_with(unready); },
            [this, service] {
                begun += service;
                taken.emplace_back(slots);
            });
    }
};

} // namespace

TEST_CASE("the limit holds, and the line moves when somebody ends") {
    Host host;
    CHECK(host.slots.free());
    host.taken.emplace_back(host.slots);
    host.taken.emplace_back(host.slots);
    CHECK_FALSE(host.slots.free());
    host.ask("a");
    host.ask("b");
    host.ask("c", true);
    CHECK(host.begun.empty());
    host.taken.pop_front();
    CHECK(host.begun == "c");
    host.slots.leave("a");
    host.taken.pop_front();
    CHECK(host.begun == "cb");
    CHECK_FALSE(host.slots.free());
    host.taken.clear();
    CHECK(host.slots.free());
}

TEST_CASE("who is called and takes no slot leaves it to the next") {
    Host host;
    host.taken.emplace_back(host.slots);
    host.taken.emplace_back(host.slots);
    host.slots.wait(
        "a", false, [] { return true; }, [&host] { host.begun += "a"; });
    host.ask("b");
    host.taken.pop_front();
    CHECK(host.begun == "ab");
}

TEST_CASE("who is not ready is passed by, holds nobody up, and keeps its place") {
    Host host;
    host.unready = "a";
    host.taken.emplace_back(host.slots);
    host.taken.emplace_back(host.slots);
    host.ask("a");
    host.ask("b");
    host.taken.pop_front();
    CHECK(host.begun == "b");
    host.taken.pop_front();
    CHECK(host.begun == "b");
    CHECK(host.slots.free());
    host.unready = "-";
    CHECK_FALSE(host.slots.free());
    host.slots.look_again();
    CHECK(host.begun == "ba");
}

TEST_CASE("a limit that grows lets others begin, one that shrinks ends nothing") {
    Host host;
    host.taken.emplace_back(host.slots);
    host.taken.emplace_back(host.slots);
    host.ask("a");
    host.slots.set_limit(3);
    CHECK(host.begun == "a");
    host.slots.set_limit(1);
    CHECK(host.taken.size() == 3);
    host.ask("b");
    host.taken.pop_front();
    host.taken.pop_front();
    CHECK(host.begun == "a");
    host.taken.pop_front();
    CHECK(host.begun == "ab");
}

TEST_CASE("nothing begins when the supervisor goes") {
    Host host;
    host.taken.emplace_back(host.slots);
    host.taken.emplace_back(host.slots);
    host.ask("a");
    host.slots.set_limit(0);
    host.taken.clear();
    CHECK(host.begun.empty());
}

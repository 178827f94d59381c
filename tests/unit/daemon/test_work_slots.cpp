// Who waits for a deployment slot gets it in the order of asking, commands first.
#include "daemon/work_slots.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>

using pgod::daemon::WorkSlots;

namespace {

struct Host {
    Host() = default;
    Host(std::size_t limit, std::size_t per_user)
        : slots(limit, per_user) {}

    static constexpr WorkSlots::User ann = 1001;
    static constexpr WorkSlots::User ben = 1002;
    static constexpr WorkSlots::User cid = 1003;

    WorkSlots slots{2};
    std::list<WorkSlots::Slot> taken;
    std::string begun;
    std::string unready = "-"; // whose name begins with that
    void ask(const std::string& service, bool first = false, WorkSlots::User user = ann) {
        slots.wait({service, user, first, [this, service] { return !service.starts_with(unready); },
                    [this, service, user] {
                        begun += service;
                        take(user);
                    }});
    }
    void take(WorkSlots::User user = ann) { taken.emplace_back(slots, user); }
};

} // namespace

TEST_CASE("the limit holds, and the line moves when somebody ends") {
    Host host;
    CHECK(host.slots.free_for(Host::ann));
    host.take();
    host.take();
    CHECK_FALSE(host.slots.free_for(Host::ann));
    host.ask("a");
    host.ask("b");
    host.ask("c", true);
    CHECK(host.begun.empty());
    host.taken.pop_front();
    CHECK(host.begun == "c");
    host.slots.leave("a");
    host.taken.pop_front();
    CHECK(host.begun == "cb");
    CHECK_FALSE(host.slots.free_for(Host::ann));
    host.taken.clear();
    CHECK(host.slots.free_for(Host::ann));
}

TEST_CASE("who is called and takes no slot leaves it to the next") {
    Host host;
    host.take();
    host.take();
    host.slots.wait({"a", Host::ann, false, [] { return true; },
                     [&host] {
                         host.begun += "a";
                     }});
    host.ask("b");
    host.taken.pop_front();
    CHECK(host.begun == "ab");
}

TEST_CASE("who is not ready is passed by, holds nobody up, and keeps its place") {
    Host host;
    host.unready = "a";
    host.take();
    host.take();
    host.ask("a");
    host.ask("b");
    host.taken.pop_front();
    CHECK(host.begun == "b");
    host.taken.pop_front();
    CHECK(host.begun == "b");
    CHECK(host.slots.free_for(Host::ann));
    host.unready = "-";
    CHECK_FALSE(host.slots.free_for(Host::ann));
    host.slots.look_again();
    CHECK(host.begun == "ba");
}

TEST_CASE("a limit that grows lets others begin, one that shrinks ends nothing") {
    Host host;
    host.take();
    host.take();
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
    host.take();
    host.take();
    host.ask("a");
    host.slots.set_limit(0);
    host.taken.clear();
    CHECK(host.begun.empty());
}

TEST_CASE("one user's share leaves slots to others, and its line is passed by") {
    Host host(3, 2);
    host.take();
    host.take();
    CHECK_FALSE(host.slots.free_for(Host::ann));
    CHECK(host.slots.free_for(Host::ben));
    host.ask("a", true);
    CHECK(host.slots.free_for(Host::ben)); // nobody with room waits
    host.take(Host::ben);
    host.ask("b", false, Host::ben);
    host.taken.pop_back();
    CHECK(host.begun == "b");
    host.taken.pop_front();
    CHECK(host.begun == "ba");
    host.taken.clear();
}

TEST_CASE("the user who holds the fewest slots is next, whoever asked first or waits as a client") {
    Host host(3, 3);
    host.take();
    host.take(Host::ben);
    host.take(Host::ben);
    host.ask("a", true);
    host.ask("b", false, Host::ben);
    host.ask("c", false, Host::cid);
    host.taken.pop_back();
    CHECK(host.begun == "c");
}

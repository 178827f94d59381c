#include "base/fd.hpp"
#include "base/handle.hpp"
#include "base/secret.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <utility>

using namespace pgod;

namespace {

struct Thing {};
int live = 0;

int make_thing(Thing** out) {
    *out = new Thing;
    ++live;
    return 0;
}
void free_thing(Thing* thing) {
    --live;
    delete thing;
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

} // namespace

TEST_CASE("a handle frees what an out-parameter put into it, once") {
    {
        Handle<Thing, free_thing> thing;
        CHECK(make_thing(Out(thing)) == 0);
        REQUIRE(thing);
        CHECK(live == 1);
        CHECK(make_thing(Out(thing)) == 0); // the first is freed
        CHECK(live == 1);
    }
    CHECK(live == 0);
}

TEST_CASE("an Fd closes what it owns, and nothing else") {
    int number = -1;
    {
        Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        number = fd.get();
        REQUIRE(fd);
        Fd moved = std::move(fd);
        CHECK(moved.get() == number);
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));

    Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = fd.release();
    CHECK_FALSE(fd);
    CHECK(is_open(number));
    Fd again(number);
    again.reset(number); // the same descriptor stays open
    CHECK(is_open(number));
}

TEST_CASE("a secret prints redacted") {
    const Secret secret("hunter2");
    CHECK(fmt::format("<{}>", secret) == "<[redacted]>");
    CHECK(fmt::format("<{}>", Secret()) == "<>");
    CHECK(secret.reveal() == "hunter2");
}

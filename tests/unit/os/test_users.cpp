#include "os/users.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

using namespace pgod;
using namespace pgod::os;

TEST_CASE("users are found once; root and nobody at all are not served") {
    const auto nobody = find_user("nobody");
    REQUIRE(nobody);
    CHECK(nobody->uid == 65534);
    CHECK_FALSE(nobody->groups.empty());
    CHECK(find_user("root").error().code == Code::denied);
    const auto missing = find_user("no-such-user");
    CHECK(missing.error().code == Code::gone);
    CHECK(missing.error().message == "user \"no-such-user\" does not exist on this host");
}

TEST_CASE("the environment of a user is made, not inherited") {
    ::setenv("LD_PRELOAD_TEST", "1", 1);
    const auto env = user_environment(*find_user("nobody"));
    const auto has = [&env](std::string_view start) {
        return std::any_of(env.begin(), env.end(),
                           [start](const auto& entry) { return entry.starts_with(start); });
    };
    CHECK(has("HOME=/"));
    CHECK(has("PATH=/usr/local/sbin:"));
    CHECK(has("XDG_RUNTIME_DIR=/run/user/65534"));
    CHECK_FALSE(has("LD_PRELOAD_TEST"));
}

TEST_CASE("programs are found in the fixed path only") {
    CHECK(find_program("sh"));
    CHECK(find_program("no-such-program").error().message == "no-such-program is not installed on this host");
}

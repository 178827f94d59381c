#include "daemon/caller.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;
using namespace pgod::daemon;

TEST_CASE("what a user of this host may do follows from its uid alone") {
    const Ownership web{"web", {.read = true, .deploy = false, .exec = false}, 1001};
    const Ownership orphan{"old", {.read = true, .deploy = true, .exec = true}, std::nullopt};
    const Caller root(Caller::User{0, "root", true});
    const Caller owner(Caller::User{1001, "miek", false});
    const Caller stranger(Caller::User{1002, "", false});
    for (const Operation& operation : all_operations()) {
        CAPTURE(operation.name);
        const bool for_admins = operation.group == OpGroup::admin;
        CHECK(root.may(web, operation.op));
        CHECK(root.may(orphan, operation.op));
        CHECK(root.may_as_admin(operation.op));
        CHECK(owner.may(web, operation.op) == !for_admins); // the ceiling is for keys
        CHECK_FALSE(owner.may(orphan, operation.op));
        CHECK_FALSE(owner.may_as_admin(operation.op));
        CHECK_FALSE(stranger.may(web, operation.op));
        CHECK_FALSE(stranger.could(web, operation.op));
    }
    CHECK(root.is_admin());
    CHECK_FALSE(owner.is_admin());
    CHECK(owner.shown() == "uid 1001 (miek)");
    CHECK(stranger.shown() == "uid 1002");
    CHECK(stranger.refusal("web") == "Unauthorized: uid 1002 is neither root nor the user of web");
    CHECK(owner.id() != stranger.id());
}

TEST_CASE("a key is judged by the key book, and no uid counts") {
    KeyBook keys;
    PublicKey key;
    key.type = "ssh-ed25519";
    key.base64 = "AAAA";
    key.name = "id";
    keys.set_service("web", {key});
    const Caller caller(keys, Caller::Key{"AAAA", "SHA256:abc", "miek", {}});
    const Ownership web{"web", {.read = true, .deploy = false, .exec = false}, 0};
    CHECK(caller.may(web, Op::ps));
    CHECK_FALSE(caller.may(web, Op::up));
    CHECK(caller.could(web, Op::up));
    CHECK_FALSE(caller.is_admin());
    CHECK(caller.described("web") == "id (SHA256:abc)");
    CHECK(caller.refusal("wiki") == "Unauthorized: Key for user \"miek\" does not match any for name wiki");
}

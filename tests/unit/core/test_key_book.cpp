#include "core/backoff.hpp"
#include "core/key_book.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace std::chrono_literals;

namespace {

PublicKey key(std::string blob, std::string name = "id.pub") {
    return {"ssh-ed25519", std::move(blob), std::move(name)};
}

constexpr OperationGroups usual{.read = true, .deploy = true};
constexpr OperationGroups only_read{.read = true};

} // namespace

TEST_CASE("a key may do what its service grants, nowhere else, and never more than the ceiling") {
    KeyBook book;
    book.set_admins({key("ADMIN", "root@desk")});
    book.set_service("web", {key("ANN", "ann.pub"), key("BOB")});
    book.set_service("db", {key("BOB")});

    struct Row {
        const char* blob;
        const char* service;
        OperationGroups ceiling;
        OpGroup group;
        bool may;
    };
    for (const Row& row : {
             Row{"ANN", "web", usual, OpGroup::read, true},
             Row{"ANN", "web", usual, OpGroup::deploy, true},
             Row{"ANN", "web", usual, OpGroup::exec, false},
             Row{"ANN", "web", usual, OpGroup::admin, false},
             Row{"ANN", "web", only_read, OpGroup::deploy, false},
             Row{"ANN", "db", usual, OpGroup::read, false},
             Row{"BOB", "db", usual, OpGroup::deploy, true},
             Row{"ANN", "nosuch", usual, OpGroup::read, false},
             Row{"NOBODY", "web", usual, OpGroup::read, false},
             Row{"ADMIN", "db", only_read, OpGroup::exec, true},
             Row{"ADMIN", "db", only_read, OpGroup::admin, true},
         }) {
        CAPTURE(row.blob);
        CAPTURE(row.service);
        CHECK(book.may(row.blob, row.service, row.ceiling, row.group) == row.may);
    }
    CHECK(book.name_in("web", "ANN") == "ann.pub");
    CHECK(book.name_in("web", "ADMIN") == "root@desk");
}

TEST_CASE("a key that the last sync did not see is gone, unless another service still has it") {
    KeyBook book;
    book.set_service("web", {key("ANN"), key("BOB")});
    book.set_service("db", {key("BOB")});
    book.set_service("web", {});
    CHECK_FALSE(book.knows("ANN"));
    CHECK(book.knows("BOB"));
    CHECK_FALSE(book.may("BOB", "web", usual, OpGroup::read));
    book.forget_service("db");
    CHECK_FALSE(book.knows("BOB"));
}

TEST_CASE("revoked beats everything") {
    KeyBook book;
    book.set_admins({key("ADMIN")});
    book.set_service("web", {key("ANN")});
    book.set_revoked({key("ADMIN"), key("ANN")});
    CHECK_FALSE(book.knows("ANN"));
    CHECK_FALSE(book.knows("ADMIN"));
    CHECK_FALSE(book.is_admin("ADMIN"));
    CHECK_FALSE(book.may("ANN", "web", usual, OpGroup::read));
    CHECK_FALSE(book.may("ADMIN", "web", usual, OpGroup::read));
}

TEST_CASE("the same key twice in one service counts once") {
    KeyBook book;
    book.set_service("web", {key("ANN", "a.pub"), key("ANN", "b.pub")});
    CHECK(book.knows("ANN"));
    book.set_service("web", {});
    CHECK_FALSE(book.knows("ANN"));
}

TEST_CASE("backoff grows to its cap and jitter spreads it") {
    CHECK(backoff(1, 1s, 60s, 0.5) == 1s);
    CHECK(backoff(4, 1s, 60s, 0.5) == 8s);
    CHECK(backoff(1000, 1s, 60s, 0.5) == 60s);
    CHECK(backoff(1, 1s, 60s, 0.0) == 750ms);
    CHECK(backoff(1, 1s, 60s, 1.0) == 1250ms);
    CHECK(jittered(100s, 0.0) == 90s);
    CHECK(jittered(100s, 1.0) == 110s);
}

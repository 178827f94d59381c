#include "core/backoff.hpp"
#include "core/key_book.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace std::chrono_literals;

namespace {

PublicKey key(std::string blob, std::string name = "id.pub") {
    return {"ssh-ed25519", std::move(blob), std::move(name)};
}

PublicKey granted(std::string blob, std::string_view options, std::string name = "id.pub") {
    return {"ssh-ed25519", std::move(blob), std::move(name), parse_key_options(options).value()};
}

const Circumstances here{reconcile::Time{1'000'000s}, parse_address("192.0.2.7")};

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
        Op op;
        bool may;
    };
    for (const Row& row : {
             Row{"ANN", "web", usual, Op::ps, true},
             Row{"ANN", "web", usual, Op::up, true},
             Row{"ANN", "web", usual, Op::exec, false},
             Row{"ANN", "web", usual, Op::audit, false},
             Row{"ANN", "web", only_read, Op::up, false},
             Row{"ANN", "db", usual, Op::ps, false},
             Row{"BOB", "db", usual, Op::up, true},
             Row{"ANN", "nosuch", usual, Op::ps, false},
             Row{"NOBODY", "web", usual, Op::ps, false},
             Row{"ADMIN", "db", only_read, Op::exec, true},
             Row{"ADMIN", "db", only_read, Op::audit, true},
         }) {
        CAPTURE(row.blob);
        CAPTURE(row.service);
        CHECK(book.may(row.blob, row.service, row.ceiling, row.op, here) == row.may);
    }
    CHECK(book.name_in("web", "ANN") == "ann.pub");
    CHECK(book.name_in("web", "ADMIN") == "root@desk");
}

TEST_CASE("a key that the last sync did not see is gone, unless another service still has it") {
    KeyBook book;
    book.set_service("web", {key("ANN"), key("BOB")});
    book.set_service("db", {key("BOB")});
    book.set_service("web", {});
    CHECK_FALSE(book.knows("ANN", here));
    CHECK(book.knows("BOB", here));
    CHECK_FALSE(book.may("BOB", "web", usual, Op::ps, here));
    book.forget_service("db");
    CHECK_FALSE(book.knows("BOB", here));
}

TEST_CASE("revoked beats everything") {
    KeyBook book;
    book.set_admins({key("ADMIN")});
    book.set_service("web", {key("ANN")});
    book.set_revoked({key("ADMIN"), key("ANN")});
    CHECK_FALSE(book.knows("ANN", here));
    CHECK_FALSE(book.knows("ADMIN", here));
    CHECK_FALSE(book.is_admin("ADMIN", here));
    CHECK_FALSE(book.may("ANN", "web", usual, Op::ps, here));
    CHECK_FALSE(book.may("ADMIN", "web", usual, Op::ps, here));
}

TEST_CASE("the same key twice in one service counts once") {
    KeyBook book;
    book.set_service("web", {key("ANN", "a.pub"), key("ANN", "b.pub")});
    CHECK(book.knows("ANN", here));
    book.set_service("web", {});
    CHECK_FALSE(book.knows("ANN", here));
}

TEST_CASE("a grant narrows what the service's ops allow, and never widens it") {
    KeyBook book;
    book.set_service("web", {granted("CI", "pgo-ops=\"up,ps,exec\""), granted("READER", "pgo-ops=\"read\"")});
    book.set_service("db", {key("CI"), granted("READER", "from=\"198.51.100.0/24\"")});
    book.set_admins({granted("AUDITOR", "pgo-ops=\"read,admin\""), granted("LOOKER", "pgo-ops=\"read\"")});
    struct Row {
        const char* blob;
        const char* service;
        OperationGroups ceiling;
        Op op;
        bool may;
    };
    constexpr OperationGroups everything{.read = true, .deploy = true, .exec = true};
    for (const Row& row : {
             Row{"CI", "web", usual, Op::up, true},
             Row{"CI", "web", usual, Op::ps, true},
             Row{"CI", "web", usual, Op::logs, false},
             Row{"CI", "web", usual, Op::down, false},
             Row{"CI", "web", usual, Op::exec, false}, // not among the service's ops
             Row{"CI", "web", everything, Op::exec, true},
             Row{"CI", "web", only_read, Op::up, false},
             Row{"CI", "db", usual, Op::down, true}, // each service's own grant
             Row{"CI", "db", usual, Op::audit, false},
             Row{"READER", "web", usual, Op::logs, true},
             Row{"READER", "web", usual, Op::up, false},
             Row{"READER", "db", usual, Op::ps, false}, // not from here
             Row{"AUDITOR", "web", only_read, Op::ps, true},
             Row{"AUDITOR", "web", everything, Op::up, false},
             Row{"AUDITOR", "web", everything, Op::audit, true},
             Row{"LOOKER", "db", only_read, Op::logs, true},
             Row{"LOOKER", "db", everything, Op::audit, false},
         }) {
        CAPTURE(row.blob);
        CAPTURE(row.service);
        CAPTURE(operation_of(row.op).name);
        CHECK(book.may(row.blob, row.service, row.ceiling, row.op, here) == row.may);
    }
    CHECK(book.is_admin("LOOKER", here));
    CHECK_FALSE(book.may_as_admin("LOOKER", Op::audit, here));
}

TEST_CASE("an expired key, or one from elsewhere, is not even known") {
    KeyBook book;
    book.set_service("web",
                     {granted("OLD", "expiry-time=\"19700112134640Z\""), // now
                      granted("NEW", "expiry-time=\"19700112134641Z\""),
                      granted("FAR", "from=\"198.51.100.1\""), granted("NEAR", "from=\"192.0.2.0/29\"")});
    book.set_admins({granted("ADMIN", "expiry-time=\"19700101Z\"")});
    for (const auto& [blob, known] :
         {std::pair{"OLD", false}, {"NEW", true}, {"FAR", false}, {"NEAR", true}, {"ADMIN", false}}) {
        CAPTURE(blob);
        CHECK(book.knows(blob, here) == known);
        CHECK(book.may(blob, "web", usual, Op::ps, here) == known);
    }
    CHECK_FALSE(book.is_admin("ADMIN", here));
}

TEST_CASE("a key in several lines may do what any of them grants") {
    KeyBook book;
    book.set_service("web",
                     {granted("ANN", "pgo-ops=\"ps\""), granted("ANN", "pgo-ops=\"up\",from=\"192.0.2.7\"")});
    CHECK(book.may("ANN", "web", usual, Op::ps, here));
    CHECK(book.may("ANN", "web", usual, Op::up, here));
    CHECK_FALSE(book.may("ANN", "web", usual, Op::down, here));
    book.set_revoked({key("ANN")});
    CHECK_FALSE(book.may("ANN", "web", usual, Op::ps, here));
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

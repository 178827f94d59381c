// The options before a key: what they mean, what is refused, and that they are read as they are written.
#include "core/key_grant.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

using namespace pgod;
using namespace std::chrono_literals;

namespace {

bool matches(std::string_view patterns, const char* address) {
    const auto grant = parse_key_options("from=\"" + std::string(patterns) + "\"");
    REQUIRE_MESSAGE(grant, grant.error().message);
    return counts(*grant, {reconcile::Time{0s}, parse_address(address)});
}

} // namespace

TEST_CASE("from: which addresses match") {
    struct Row {
        const char* patterns;
        const char* address;
        bool match;
    };
    for (const Row& row : {
             Row{"192.0.2.1", "192.0.2.1", true},
             Row{"192.0.2.1", "192.0.2.2", false},
             Row{"192.0.2.0/24", "192.0.2.255", true},
             Row{"192.0.2.0/24", "192.0.3.0", false},
             Row{"10.0.0.0/9", "10.127.0.1", true},
             Row{"10.0.0.0/9", "10.128.0.1", false},
             Row{"192.0.2.1", "::ffff:192.0.2.1", true},
             Row{"2001:db8::/33", "2001:db8:7fff::1", true},
             Row{"2001:db8::/33", "2001:db8:8000::1", false},
             Row{"::1", "::1", true},
             Row{"::1", "127.0.0.1", false},
             Row{"0.0.0.0/0", "::1", false},
             Row{"*", "::1", true},
             Row{"*", "192.0.2.1", true},
             Row{"10.1.*", "10.1.255.1", true},
             Row{"10.1.*.*", "10.2.0.1", false},
             Row{"192.0.2.0/24,!192.0.2.7", "192.0.2.7", false}, // wherever it stands
             Row{"!192.0.2.7,192.0.2.0/24", "192.0.2.7", false},
             Row{"!192.0.2.7,192.0.2.0/24", "192.0.2.8", true},
             Row{"!192.0.2.7", "192.0.2.8", false}, // nothing says yes
             Row{"192.0.2.1,::1", "::1", true},
         }) {
        CAPTURE(row.patterns);
        CAPTURE(row.address);
        CHECK(matches(row.patterns, row.address) == row.match);
    }
    const auto anywhere = parse_key_options("from=\"*\"").value();
    CHECK_FALSE(counts(anywhere, {reconcile::Time{0s}, std::nullopt}));
    CHECK(counts({}, {reconcile::Time{0s}, std::nullopt}));
}

TEST_CASE("addresses as text") {
    for (const char* wrong :
         {"",         "1",        "1.2.3",   "1.2.3.4.5", "1.2.3.256",      "01.2.3.4",
          "1.2.3.-4", ":",        ":::",     "1::2::3",   "1:2:3:4:5:6:7",  "1:2:3:4:5:6:7:8:9",
          "12345::",  "g::",      "::1.2.3", "1.2.3.4::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8::",
          "::1 ",     "localhost"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_address(wrong));
    }
    CHECK(parse_address("2001:DB8:0:0:0:0:0:1") == parse_address("2001:db8::1"));
    CHECK(parse_address("64:ff9b::192.0.2.1") == parse_address("64:ff9b::c000:201"));
    CHECK(parse_address("::ffff:192.0.2.1") == parse_address("192.0.2.1"));
    CHECK(parse_address("1:2:3:4:5:6:7::")->bytes[13] == 7);
    CHECK(block_text(*parse_block("2001:db8:0:1::2/128")) == "2001:db8:0:1:0:0:0:2/128");
}

TEST_CASE("the address of a peer") {
    CHECK(address_of_peer("192.0.2.1:4711") == parse_address("192.0.2.1"));
    CHECK(address_of_peer("[2001:db8::1]:22") == parse_address("2001:db8::1"));
    CHECK(address_of_peer("[fe80::1%eth0]:22") == parse_address("fe80::1"));
    CHECK_FALSE(address_of_peer("somewhere"));
    CHECK_FALSE(address_of_peer("[::1"));
    CHECK_FALSE(parse_address(std::string_view("192.0.2.1\0x", 11)));
}

TEST_CASE("expiry-time: in UTC with Z, else in the host's time") {
    const auto at = [](const std::string& text) {
        return parse_key_options("expiry-time=\"" + text + "\"").value().expires.value();
    };
    CHECK(at("20261121Z") == reconcile::Time{1795219200s});
    CHECK(at("202611210130Z") == reconcile::Time{1795219200s + 90min});
    CHECK(at("20261121013007Z") == reconcile::Time{1795219200s + 90min + 7s});
    const char* before = std::getenv("TZ");
    const std::string zone = before == nullptr ? "" : before;
    ::setenv("TZ", "XXX-02", 1); // two hours ahead
    ::tzset();
    CHECK(at("20261121") == reconcile::Time{1795219200s - 2h});
    before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
    for (const char* wrong : {"2026", "20261321Z", "20260230", "2026112125", "202611212561", "19691231Z",
                              "tomorrow", "Z", "2026112101300Z", "99999999"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_key_options("expiry-time=\"" + std::string(wrong) + "\""));
    }
}

TEST_CASE("pgo-ops: operations and groups") {
    const auto grant = parse_key_options("pgo-ops=\"ps, logs,deploy\"").value();
    CHECK(grants(grant, Op::ps));
    CHECK(grants(grant, Op::logs));
    CHECK(grants(grant, Op::up));
    CHECK(grants(grant, Op::rollback));
    CHECK_FALSE(grants(grant, Op::status));
    CHECK_FALSE(grants(grant, Op::exec));
    CHECK(grants({}, Op::exec));
    CHECK(grants(parse_key_options("pgo-ops=\"exec\"").value(), Op::exec));
}

TEST_CASE("options that make a line no key, with the sentence that says why") {
    struct Row {
        const char* options;
        const char* says;
    };
    for (const Row& row : {
             Row{"no-pty", "\"no-pty\" before the key is not known"},
             Row{"command=\"secret\"", "\"command\" before the key is not known"},
             Row{"from=\"::1\",restrict", "\"restrict\""},
             Row{"pgo-ops=\"ps,shell\"", "neither an operation nor"},
             Row{"pgo-ops=\"\"", "pgo-ops needs a value"},
             Row{"pgo-ops", "pgo-ops needs a value"},
             Row{"pgo-ops=ps", "double quotes"},
             Row{"pgo-ops=\"ps", "not closed"},
             Row{"pgo-ops=\"ps\"from=\"::1\"", "comma"},
             Row{"pgo-ops=\"ps\",pgo-ops=\"up\"", "twice"},
             Row{"from=\"host.example.org\"", "host names are not looked up"},
             Row{"from=\"192.0.2.1/24\"", "beyond the mask"},
             Row{"from=\"192.0.2.0/33\"", "no address"},
             Row{"from=\"192.0.*.1\"", "no address"},
             Row{"from=\"10.*.*.*.*\"", "no address"},
             Row{"from=\"192.0.2.?\"", "no address"},
             Row{"from=\"::1,\"", "no address"},
             Row{"expiry-time=\"soon\"", "YYYYMMDD"},
         }) {
        CAPTURE(row.options);
        const auto grant = parse_key_options(row.options);
        REQUIRE_FALSE(grant);
        CHECK(grant.error().code == Code::invalid);
        CHECK_MESSAGE(grant.error().message.find(row.says) != std::string::npos, grant.error().message);
        CHECK(grant.error().message.find("secret") == std::string::npos);
    }
    std::string many;
    for (int i = 0; i < 65; ++i)
        many += (i == 0 ? "" : ",") + std::string("192.0.2.1");
    CHECK_FALSE(parse_key_options("from=\"" + many + "\""));
}

TEST_CASE("what is written into the database is read as the same") {
    for (const char* options :
         {"", "pgo-ops=\"ping,ps\"", "from=\"!192.0.2.7/32,192.0.2.0/24,2001:db8::/32\"",
          "pgo-ops=\"exec\",expiry-time=\"20261121013007Z\",from=\"0.0.0.0/0,::/0\"",
          "expiry-time=\"40400202000000Z\""}) {
        CAPTURE(options);
        const auto grant = parse_key_options(options).value();
        CHECK(key_options_text(grant) == options);
        CHECK(parse_key_options(key_options_text(grant)).value() == grant);
    }
    CHECK(parse_key_options("from=\"10.1.*\"").value() == parse_key_options("from=\"10.1.0.0/16\"").value());
}

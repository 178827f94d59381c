#include "ssh/key.hpp"
#include "ssh/server_bind.hpp"

#include <doctest/doctest.h>

using namespace pgod;

namespace {

const Secret ecdsa_key(R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQSSFGmyr4Ont1VhrfA9miBNx0zm/lPK
IXkOQRfVv8XxhBt/5AskLS+qjMTQQrEquKF8p/teZQFZrbHfdkChxkRJAAAAoNTixs7U4s
bOAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJIUabKvg6e3VWGt
8D2aIE3HTOb+U8oheQ5BF9W/xfGEG3/kCyQtL6qMxNBCsSq4oXyn+15lAVmtsd92QKHGRE
kAAAAhALM0UKS3IwaJIzbtpQVD626ZpHcVXagek6jfJL3sy+9/AAAABHRlc3QBAgM=
-----END OPENSSH PRIVATE KEY-----
)");

} // namespace

TEST_CASE("a new host key is an ed25519 key that serves, and no two are alike") {
    const auto first = ssh::make_host_key();
    const auto second = ssh::make_host_key();
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->reveal().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    CHECK(first->reveal() != second->reveal());
    const auto key = ssh::import_private_key(*first);
    REQUIRE(key.has_value());
    const auto open = ssh::public_key_of(key->get());
    REQUIRE(open.has_value());
    CHECK(open->type == "ssh-ed25519");
    CHECK(open->base64.starts_with("AAAAC3NzaC1lZDI1NTE5"));
    auto bind = ssh::ServerBind::create(*first);
    REQUIRE(bind.has_value());
    CHECK(bind->fingerprint().starts_with("SHA256:"));
    CHECK(bind->fingerprint() == *ssh::fingerprint_of(key->get()));
    CHECK(bind->warm_up().has_value());
}

TEST_CASE("what is no host key is refused with a reason") {
    struct Row {
        const char* name;
        Secret text;
        const char* reason;
    };
    const Row rows[] = {
        {"nothing", Secret(""), "read the host key: not a private key"},
        {"garbage", Secret("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"),
         "read the host key: not a private key"},
        {"another type", ecdsa_key, "the host key must be an ed25519 key"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const auto bind = ssh::ServerBind::create(row.text);
        REQUIRE(!bind.has_value());
        CHECK(bind.error().code == Code::invalid);
        CHECK(bind.error().message.starts_with(row.reason));
    }
}

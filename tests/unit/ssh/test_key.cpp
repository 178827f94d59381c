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

const Secret p384_key(R"(-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAiAAAABNlY2RzYS
1zaGEyLW5pc3RwMzg0AAAACG5pc3RwMzg0AAAAYQSINZKDVIwxKQyOSa22JQIzYaT9E2r+
w4z+97v7swskF5NND9vcKb13E7DgggpLXKYjYEkIcQHMBhu6TdlFlpCjO2DTa5SkVfoZTv
Ci2PUDEXq508NQyvQlzreq69p2C2sAAADQrIozHayKMx0AAAATZWNkc2Etc2hhMi1uaXN0
cDM4NAAAAAhuaXN0cDM4NAAAAGEEiDWSg1SMMSkMjkmttiUCM2Gk/RNq/sOM/ve7+7MLJB
eTTQ/b3Cm9dxOw4IIKS1ymI2BJCHEBzAYbuk3ZRZaQoztg02uUpFX6GU7wotj1AxF6udPD
UMr0Jc63quvadgtrAAAAMQCVsR8bN+e+8S47mSLuboOhqiB1jSkxyVX+26RWq+x92tjB41
qN2z0sZoeDn1D5lW8AAAAEdGVzdAECAw==
-----END OPENSSH PRIVATE KEY-----
)");

} // namespace

TEST_CASE("a new host key is an ed25519 key that serves, and no two are alike") {
    const auto first = ssh::make_host_key(ssh::HostKeyType::ed25519);
    const auto second = ssh::make_host_key(ssh::HostKeyType::ed25519);
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
    auto bind = ssh::ServerBind::create(*first, {});
    REQUIRE(bind.has_value());
    CHECK(bind->fingerprint().starts_with("SHA256:"));
    CHECK(bind->fingerprint() == *ssh::fingerprint_of(key->get()));
    CHECK(bind->warm_up().has_value());
}

TEST_CASE("while the key changes two are served, of different types") {
    const auto old = ssh::make_host_key(ssh::HostKeyType::ed25519);
    const auto made = ssh::make_host_key(ssh::HostKeyType::ecdsa);
    REQUIRE(old.has_value());
    REQUIRE(made.has_value());
    const auto fingerprint = [](const Secret& text) {
        return *ssh::fingerprint_of(ssh::import_private_key(text)->get());
    };
    auto both = ssh::ServerBind::create(*old, *made);
    REQUIRE(both.has_value());
    CHECK(both->fingerprint() == fingerprint(*old) + " and " + fingerprint(*made));
    CHECK(both->warm_up().has_value());
    auto changed = ssh::ServerBind::create(*made, {});
    REQUIRE(changed.has_value());
    CHECK(changed->warm_up().has_value());
    const auto same = ssh::ServerBind::create(*made, ecdsa_key);
    REQUIRE_FALSE(same.has_value());
    CHECK(same.error().message.find("both host keys are of the same type") != std::string::npos);
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
        {"another type", p384_key, "read the host key: a host key must be ed25519, or ECDSA of P-256"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const auto bind = ssh::ServerBind::create(row.text, {});
        REQUIRE(!bind.has_value());
        CHECK(bind.error().code == Code::invalid);
        CHECK(bind.error().message.starts_with(row.reason));
    }
}

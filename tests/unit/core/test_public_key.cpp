#include "base/text.hpp"
#include "core/public_key.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgod;

namespace {

const std::string ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIBwmtkkQFuaSVhf9m7sw0MdDb83ENJ4gCz82aqVCrPOB";
const std::string nistp256 =
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKDRtX/suNK8LJJ9jH2FGlcdYCnGZzK13m1ZWRuO4sve"
    "wNSD4HgJw6Px+FXISImznhMWcbN8M0xJMkpBG7aqbW8=";
const std::string rsa =
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQDAgjFsxRQ0qFnUDSUvsoaFKk1CpjF8H6BwP3WVIapECWnde408lmGFJzCxnT7YIcLFEJU8"
    "1xoHZIc4BbwWLMhJhHTWLd4RV48kc0Fhbaddedvnt2s3v9tPPDStyY+Lcc6zhyIfbgNP6pjRueDu+1e8fG1URzPxeC4klynu4mGX"
    "ilRqYqfD2xFL3CYNTlUP+NIXBLe5NfjTpfZAZRnigupJilnfJ9bojfBCD6H5xvLErv+pDFx0mR764vEgs3n/40iSaFmYZSIIcKho"
    "P92lz74qQvGewmNnVUnsMld2vco5Mtau4AzglUZF/BoT379EQryLO60faeTSCqbVA54Kynml";
const std::string sk_ed25519 =
    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAAAABHNzaDo=";
const std::string sk_nistp256 =
    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBAABAgMEBQYHCAkKCwwNDg8Q"
    "ERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8AAAAEc3NoOg==";

} // namespace

TEST_CASE("key lines that are accepted") {
    struct Row {
        std::string line;
        std::string type;
        std::string base64;
        std::string name;
    };
    const std::vector<Row> rows{
        {"ssh-ed25519 " + ed25519, "ssh-ed25519", ed25519, ""},
        {"ssh-ed25519 " + ed25519 + " miek@laptop", "ssh-ed25519", ed25519, "miek@laptop"},
        {"ssh-ed25519\t" + ed25519 + "\tmiek's  laptop \r\n", "ssh-ed25519", ed25519, "miek's  laptop"},
        {"  ssh-rsa " + rsa + "\n", "ssh-rsa", rsa, ""},
        {"ecdsa-sha2-nistp256 " + nistp256 + " e\x1b[2Jc", "ecdsa-sha2-nistp256", nistp256, "e\\x1b[2Jc"},
        {"sk-ssh-ed25519@openssh.com " + sk_ed25519, "sk-ssh-ed25519@openssh.com", sk_ed25519, ""},
        {"sk-ecdsa-sha2-nistp256@openssh.com " + sk_nistp256, "sk-ecdsa-sha2-nistp256@openssh.com",
         sk_nistp256, ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        const auto parsed = parse_key_line(row.line);
        REQUIRE(parsed.has_value());
        REQUIRE(parsed->has_value());
        CHECK((*parsed)->type == row.type);
        CHECK((*parsed)->base64 == row.base64);
        CHECK((*parsed)->name == row.name);
        CHECK(is_accepted_key_type(row.type));
    }
    CHECK(accepted_key_types().size() == 7);
    CHECK_FALSE(is_accepted_key_type("ssh-dss"));
    CHECK_FALSE(is_accepted_key_type(""));
}

TEST_CASE("options before a key are its grant") {
    const auto parsed = parse_key_line("pgo-ops=\"ps,logs\",from=\"192.0.2.0/24, \" ssh-ed25519 " + ed25519);
    REQUIRE_FALSE(parsed.has_value()); // a blank within quotes is part of the value
    const auto key =
        parse_key_line("  pgo-ops=\"ps,\tlogs\",from=\"192.0.2.0/24\"\tssh-ed25519 " + ed25519 + " ann");
    REQUIRE(key.has_value());
    REQUIRE(key->has_value());
    CHECK((*key)->base64 == ed25519);
    CHECK((*key)->name == "ann");
    CHECK(key_options_text((*key)->grant) == "pgo-ops=\"ps,logs\",from=\"192.0.2.0/24\"");
    CHECK_FALSE(parse_key_line("from=\"::1\" ssh-ed25519-cert-v01@openssh.com AAAA").has_value());
}

TEST_CASE("key lines that hold nothing") {
    for (const std::string line : {"", "   ", "\r\n", "# ssh-ed25519 old", "\t# note"}) {
        CAPTURE(line);
        const auto parsed = parse_key_line(line);
        REQUIRE(parsed.has_value());
        CHECK_FALSE(parsed->has_value());
    }
}

TEST_CASE("key lines that are refused, with the sentence that says why") {
    struct Row {
        std::string line;
        std::string says;
    };
    const std::vector<Row> rows{
        {"ssh-ed25519", "the key is missing after its type ssh-ed25519"},
        {"ssh-ed25519 " + ed25519.substr(0, 30), "not valid base64"},
        {"ssh-ed25519 AAAA!AAA", "not valid base64"},
        {"ssh-ed25519 AAAA", "of another type or damaged"},
        {"ssh-ed25519 " + rsa, "of another type or damaged"},
        {"ssh-rsa " + ed25519, "of another type or damaged"},
        {"ecdsa-sha2-nistp384 " + nistp256, "of another type or damaged"},
        {"ssh-dss AAAAB3NzaC1kc3M= old", "DSA keys (ssh-dss) are too weak"},
        {"ssh-ed25519-cert-v01@openssh.com AAAA", "is a certificate, which is not accepted"},
        {"no-pty ssh-ed25519 " + ed25519, "the option \"no-pty\" before the key is not known"},
        {"command=\"sh -c \\\"x, y\\\"\",no-pty,from=\"10.0.0.0/8,::1\" ssh-ed25519 " + ed25519,
         "the option \"command\" before the key is not known"},
        {"hello world", "\"hello\" is no accepted key type: it must be one of ssh-ed25519, "},
        {"\x1b[2J x", "\"\\x1b[2J\" is no accepted key type"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----", "THIS IS A PRIVATE KEY"},
        {"-----BEGIN RSA PRIVATE KEY-----\r", "THIS IS A PRIVATE KEY"},
        {"PuTTY-User-Key-File-3: ssh-ed25519", "THIS IS A PRIVATE KEY"},
        {"---- BEGIN SSH2 PUBLIC KEY ----", "ssh-keygen -i"},
        {"-----BEGIN PUBLIC KEY-----", "ssh-keygen -i"},
        {std::string("s\0s\0h\0", 6), "not as UTF-16"},
        {"ssh-ed25519 " + ed25519 + " " + std::string(max_key_line, 'x'), "longer than 16384 bytes"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        const auto parsed = parse_key_line(row.line);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().code == Code::invalid);
        CHECK_MESSAGE(parsed.error().message.find(row.says) != std::string::npos, parsed.error().message);
        CHECK(parsed.error().message == escaped(parsed.error().message));
    }
}

TEST_CASE("the value of an option is not repeated") {
    const auto parsed = parse_key_line("environment=\"TOKEN=hunter2\" ssh-ed25519 " + ed25519);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.find("environment") != std::string::npos);
    CHECK(parsed.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("a key file keeps its good lines and says what is wrong with the others") {
    const auto file =
        parse_key_file("\xef\xbb\xbf# keys\r\nssh-ed25519 " + ed25519 + "\r\n\r\nbad line\nssh-rsa " + rsa +
                           " work\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nAAAA\n-----END OPENSSH PRIVATE "
                           "KEY-----\nssh-dss AAAA\n",
                       "miek.pub");
    REQUIRE(file.keys.size() == 2);
    CHECK(file.keys[0].name == "miek.pub"); // no comment: the file's name
    CHECK(file.keys[1].name == "work");
    REQUIRE(file.warnings.size() == 3);
    CHECK(file.warnings[0].starts_with("line 4: \"bad\" is no accepted key type"));
    CHECK(file.warnings[1].starts_with("line 6: THIS IS A PRIVATE KEY"));
    CHECK(file.warnings[2].starts_with("line 10: DSA keys"));
}

TEST_CASE("a file that is no key file ends in a bounded number of warnings") {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "not a key\n";
    const auto file = parse_key_file(text, "x.pub");
    CHECK(file.keys.empty());
    CHECK(file.warnings.size() == 32);
    CHECK(parse_key_file("", "x.pub").warnings.empty());
}

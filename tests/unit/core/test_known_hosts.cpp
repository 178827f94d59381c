#include "core/known_hosts.hpp"

#include "base/text.hpp"

#include <doctest/doctest.h>

using namespace pgod;

namespace {

constexpr const char* one =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
constexpr const char* two =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
constexpr const char* rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAAA";

// The digest "abc" for the name h alone.
std::string fake_hmac(std::string_view salt, std::string_view name) {
    return salt == "salt" && name == "h" ? "abc" : "no";
}

std::string blob_of(std::string_view key) {
    return *base64_decoded(key.substr(key.find(' ') + 1));
}

HostKeyCheck checked(const std::string& text, std::string_view name) {
    const KnownHostsFile file{"f", text};
    return check_host_key(known_keys_of({&file, 1}, name, fake_hmac), blob_of(one));
}

} // namespace

TEST_CASE("a host key is checked against the lines that name the host") {
    struct Row {
        const char* line; // KEY, OTHER and RSA stand for keys
        const char* name;
        HostKeyStanding standing;
    };
    using enum HostKeyStanding;
    const Row rows[] = {
        {"", "h", unknown},
        {"h KEY", "h", known},
        {"h KEY a comment\r", "h", known},
        {"\th\tKEY", "h", known},
        {"H KEY", "h", known},
        {"a,h,b KEY", "h", known},
        {"h KEY", "hh", unknown},
        {"# h KEY", "h", unknown},
        {"h OTHER", "h", changed},
        {"h RSA", "h", other_type},
        {"h RSA\nh OTHER", "h", changed},
        {"h OTHER\nh KEY", "h", known},
        {"[h]:22 KEY", "[h]:22", known},
        {"h KEY", "[h]:2222", unknown},
        {"*.example.org KEY", "git.example.org", known},
        {"*.example.org KEY", "example.org", unknown},
        {"g?t KEY", "git", known},
        {"*a*b*c KEY", "xaxbxbxc", known},
        {"*a*b*c KEY", "xaxbxbx", unknown},
        {"*,!h KEY", "h", unknown},
        {"!h,* KEY", "h", unknown},
        {"!h KEY", "other", unknown},
        {"!other,* KEY", "h", known},
        {"|1|c2FsdA==|YWJj KEY", "h", known},
        {"|1|c2FsdA==|YWJj KEY", "g", unknown},
        {"|1|c2FsdA==|YWJ KEY", "h", unknown},
        {"|2|c2FsdA==|YWJj KEY", "h", unknown},
        {"@revoked h KEY", "h", revoked},
        {"h KEY\n@revoked * KEY", "h", revoked},
        {"@revoked h OTHER", "h", unknown},
        {"@revoked * OTHER\nh KEY", "h", known},
        {"@revoked g KEY\nh KEY", "h", known},
        {"@cert-authority h KEY", "h", unknown},
        {"@other h KEY", "h", unknown},
        {"h\nh ssh-ed25519\nh ssh-ed25519 !\nh ssh-ed25519 AAAA\nh KEY", "h", known},
        {"h ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "h", unknown},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        CAPTURE(row.name);
        std::string text = row.line;
        for (const auto& [word, key] :
             {std::pair("KEY", one), std::pair("OTHER", two), std::pair("RSA", rsa)})
            for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
                text.replace(at, std::string_view(word).size(), key);
        CHECK(checked(text, row.name).standing == row.standing);
    }
}

TEST_CASE("the line that decided is named") {
    CHECK(checked(std::string("# x\n\nh ") + two, "h").where == "f:3");
}

TEST_CASE("a host's name in known_hosts") {
    CHECK(known_host_name("Git.Example.ORG", 22) == "git.example.org");
    CHECK(known_host_name("git.example.org", 2222) == "[git.example.org]:2222");
    CHECK(known_host_name("::1", 22) == "::1");
}

TEST_CASE("algorithms of known keys are offered first") {
    CHECK(host_key_algorithms({}) ==
          "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
          "rsa-sha2-512,rsa-sha2-256,ssh-rsa");
    const KnownHostKey known[] = {{"f:1", "ssh-rsa", "", false}, {"f:2", "ecdsa-sha2-nistp384", "", false}};
    CHECK(host_key_algorithms(known) == "ecdsa-sha2-nistp384,rsa-sha2-512,rsa-sha2-256,ssh-rsa,ssh-ed25519,"
                                        "ecdsa-sha2-nistp256,ecdsa-sha2-nistp521");
    const KnownHostKey revoked[] = {{"f:1", "ssh-rsa", "", true}};
    CHECK(host_key_algorithms(revoked) == host_key_algorithms({}));
}

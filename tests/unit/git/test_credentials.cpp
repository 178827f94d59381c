// What libgit2 gets to see of a URL, and who gets the password in it.
#include "git/credentials.hpp"

#include "git/library.hpp"

#include <doctest/doctest.h>

using namespace pgod;

namespace {

using Credential = Handle<git_credential, git_credential_free>;

git::Source source_of(std::string_view url) {
    static const bool started = static_cast<bool>(git::start_library());
    REQUIRE(started);
    auto parsed = RepositoryUrl::parse(url);
    REQUIRE(parsed);
    return {.url = *parsed, .branch = "main", .user = "demo", .home = "/nowhere", .max_bytes = 0};
}

} // namespace

TEST_CASE("the URL for libgit2 holds no credentials") {
    struct Row {
        const char* configured;
        const char* given;
    };
    const Row rows[] = {
        {"https://example.org/a/b.git", "https://example.org/a/b.git"},
        {"https://token@example.org/a", "https://example.org/a"},
        {"https://user:pass%40word@example.org:8443/a", "https://example.org:8443/a"},
        {"http://user:@[::1]:80/a", "http://[::1]:80/a"},
        {"ssh://git@example.org/a", "ssh://git@example.org/a"}, // a name, no secret
        {"git@example.org:a/b.git", "git@example.org:a/b.git"},
        {"git://example.org/a", "git://example.org/a"},
        {"file:///srv/git/a.git", "file:///srv/git/a.git"},
    };
    for (const auto& row : rows) {
        const auto source = source_of(row.configured);
        CHECK(git::Credentials(source).url() == row.given);
    }
}

TEST_CASE("the password goes to the configured host only, and once") {
    struct Row {
        const char* asking;
        bool given;
    };
    const Row rows[] = {
        {"https://example.org:8443/a", true},
        {"https://example.org/", true},
        {"http://example.org:8443/a", false},
        {"https://example.org.evil.net/a", false},
        {"https://evil.net/example.org", false},
        {"https://example.org@evil.net/a", false},
        {"", false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.asking);
        const auto source = source_of("https://user:secret@example.org:8443/a");
        git::Credentials credentials(source);
        Credential credential;
        const int rc = credentials.answer(Out(credential), row.asking, GIT_CREDENTIAL_USERPASS_PLAINTEXT);
        CHECK((rc == 0) == row.given);
        CHECK(credentials.refusal().has_value() != row.given);
        CHECK(credentials.answer(Out(credential), row.asking, GIT_CREDENTIAL_USERPASS_PLAINTEXT) ==
              GIT_EAUTH);
        REQUIRE(credentials.refusal());
        CHECK(credentials.refusal()->message.find("secret") == std::string::npos);
    }
}

TEST_CASE("the file that the admin gave") {
    struct Row {
        const char* text;
        const char* refusal; // of the first question; nullptr: it is answered
    };
    const Row rows[] = {
        {"ci:hunter2\n", nullptr},
        {" ci:hunter2:x ", nullptr},
        {"hunter2", "one line, USER:TOKEN"},
        {"", "one line, USER:TOKEN"},
        {"ci:hunter2\nmore", "one line, USER:TOKEN"},
    };
    for (const auto& [text, refusal] : rows) {
        CAPTURE(text);
        auto source = source_of("https://example.org/a");
        source.given = git::GivenCredentials{Secret(text), "/nowhere"};
        git::Credentials credentials(source);
        CHECK(credentials.url() == "https://example.org/a");
        Credential credential;
        const int rc =
            credentials.answer(Out(credential), "https://example.org/a", GIT_CREDENTIAL_USERPASS_PLAINTEXT);
        CHECK((rc == 0) == (refusal == nullptr));
        if (refusal == nullptr)
            CHECK(credentials.answer(Out(credential), "https://example.org/a",
                                     GIT_CREDENTIAL_USERPASS_PLAINTEXT) == GIT_EAUTH);
        REQUIRE(credentials.refusal());
        CHECK(credentials.refusal()->message.find(refusal == nullptr
                                                      ? "refuses the user and password of `credentials`"
                                                      : refusal) != std::string::npos);
        CHECK(credentials.refusal()->message.find("hunter") == std::string::npos);
    }
}

TEST_CASE("a key that the admin gave is the only one that is shown") {
    auto source = source_of("ssh://git@example.org/a");
    source.given = git::GivenCredentials{Secret("-----BEGIN OPENSSH PRIVATE KEY-----\n"), "/nowhere/key"};
    git::Credentials credentials(source);
    Credential credential;
    CHECK(credentials.answer(Out(credential), "ssh://git@example.org/a", GIT_CREDENTIAL_SSH_KEY) == 0);
    CHECK(credentials.answer(Out(credential), "ssh://git@example.org/a", GIT_CREDENTIAL_SSH_KEY) ==
          GIT_EAUTH);
    REQUIRE(credentials.refusal());
    CHECK(credentials.refusal()->message.find("refuses the key of `credentials`") != std::string::npos);
}

TEST_CASE("other transports are given nothing") {
    const auto source = source_of("git://example.org/a");
    git::Credentials credentials(source);
    Credential credential;
    CHECK(credentials.answer(Out(credential), "git://example.org/a", ~0U) == GIT_EAUTH);
}

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

TEST_CASE("other transports are given nothing") {
    const auto source = source_of("git://example.org/a");
    git::Credentials credentials(source);
    Credential credential;
    CHECK(credentials.answer(Out(credential), "git://example.org/a", ~0U) == GIT_EAUTH);
}

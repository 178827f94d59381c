#include "client/identity.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace pgod;
using namespace pgod::client;
using Kind = IdentitySource::Kind;

namespace {

const std::string key_text = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";

Environment environment_of(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

} // namespace

TEST_CASE("an identity given with -i") {
    const auto environment = environment_of({{"TEXT", key_text}, {"FILE", "/k"}, {"PGOCTL_ID", "/other"}});
    struct Row {
        std::string given;
        Kind kind;
        std::string path;
        std::string text;
    };
    const Row rows[] = {
        {"/home/me/key", Kind::file, "/home/me/key", ""},
        {"key", Kind::file, "key", ""},
        {key_text, Kind::text, "", key_text},
        {"\n " + key_text + "\n", Kind::text, "", key_text},
        {"$TEXT", Kind::text, "", key_text},
        {"$FILE", Kind::file, "/k", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.given);
        const auto sources = identity_sources({row.given}, environment);
        REQUIRE(sources);
        REQUIRE(sources->size() == 1); // nothing else is looked at
        CHECK((*sources)[0].kind == row.kind);
        CHECK((*sources)[0].path == row.path);
        CHECK((*sources)[0].text.reveal() == row.text);
        CHECK((*sources)[0].asked_for);
    }
}

TEST_CASE("an identity that cannot be meant") {
    const std::pair<std::string, std::string_view> rows[] = {
        {"", "empty"},
        {"-----BEGIN", "quoted"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----", "quoted"},
        {"$NOT_SET", "the environment variable NOT_SET is not set"},
        {"$", "no variable's name follows"},
        {"$A B", "no variable's name follows"},
        {"${A}", "no variable's name follows"},
    };
    for (const auto& [given, says] : rows) {
        CAPTURE(given);
        const auto sources = identity_sources({given}, environment_of({}));
        REQUIRE_FALSE(sources);
        CHECK(sources.error().code == Code::invalid);
        CHECK_MESSAGE(sources.error().message.find(says) != std::string::npos, sources.error().message);
    }
}

TEST_CASE("without -i: PGOCTL_ID, the agent, the default files") {
    const auto sources = identity_sources(
        {}, environment_of({{"PGOCTL_ID", key_text}, {"SSH_AUTH_SOCK", "/s"}, {"HOME", "/h"}}));
    REQUIRE(sources);
    REQUIRE(sources->size() == 5);
    CHECK((*sources)[0].kind == Kind::text);
    CHECK((*sources)[0].asked_for);
    CHECK((*sources)[1].kind == Kind::agent);
    CHECK((*sources)[1].path == "/s");
    for (std::size_t i = 2; i < 5; ++i)
        CHECK_FALSE((*sources)[i].asked_for);
    CHECK((*sources)[2].path == "/h/.ssh/id_ed25519");
    CHECK((*sources)[3].path == "/h/.ssh/id_ecdsa");
    CHECK((*sources)[4].path == "/h/.ssh/id_rsa");
    CHECK(identity_sources({}, environment_of({}))->empty());
}

TEST_CASE("names for messages never quote what a variable or a pasted text holds") {
    const auto name_of_only = [](const std::string& given, std::map<std::string, std::string> variables) {
        std::vector<std::string> all;
        if (!given.empty())
            all.push_back(given);
        return identity_sources(all, environment_of(std::move(variables)))->front().name;
    };
    CHECK(name_of_only("", {{"PGOCTL_ID", "c2VjcmV0"}}) == "PGOCTL_ID");
    CHECK(name_of_only("$KEY", {{"KEY", "c2VjcmV0"}}) == "$KEY");
    CHECK(name_of_only(std::string(400, 'a'), {}) == "the identity given with -i");
    CHECK(name_of_only("two\nlines", {}) == "the identity given with -i");
    CHECK(name_of_only("/path", {}) == "/path");
}

TEST_CASE("key texts are normalised") {
    std::string crlf;
    for (const char c : key_text)
        crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    for (const std::string& text :
         {key_text, crlf, "\r\n" + crlf, key_text.substr(0, key_text.size() - 1), "  " + key_text + " \n\n"})
        CHECK(normalised_key_text(text).reveal() == key_text);
}

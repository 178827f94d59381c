#include "compose/translation.hpp"

#include "scratch.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

TEST_CASE("the translator's answer") {
    const auto good = parse_answer(
        R"({"version": "1.3.0"})"
        "\n"
        R"({"calls": [["run", "a\nb:", ""], []], "model": {"keys": ["services"], "services": {"web":
            {"keys": ["image"], "restart": "always", "builds": true, "depends_on": {"db": "service_healthy"}}},
            "nested": [{"section": "services", "name": "web", "path": "build"}]},
            "files": [".env", "compose.yaml"], "notes": ["n"]})");
    CHECK(good.version == "1.3.0");
    REQUIRE(good.translation);
    CHECK(good.translation->version == "1.3.0");
    CHECK(good.translation->calls == std::vector<Argv>{{"run", "a\nb:", ""}, {}});
    CHECK(good.translation->files == std::vector<std::string>{".env", "compose.yaml"});
    CHECK(good.translation->notes == std::vector<std::string>{"n"});
    REQUIRE(good.translation->nested.size() == 1);
    CHECK(good.translation->model.keys == std::vector<std::string>{"services"});
    const auto& web = good.translation->model.services.at("web");
    CHECK(web.keys == std::vector<std::string>{"image"});
    CHECK(web.depends_on.at("db") == "service_healthy");
    CHECK(web.restart == "always");
    CHECK(web.builds);
}

TEST_CASE("what the translator says went wrong") {
    const auto answer = parse_answer("{\"version\": \"1.0.3\"}\n"
                                     R"({"problem": "compose.yaml:3: \u001b[31mbad"})");
    CHECK(answer.version == "1.0.3");
    REQUIRE(!answer.translation);
    CHECK(answer.translation.error().code == Code::permanent);
    CHECK(answer.translation.error().message == "compose.yaml:3: \\x1b[31mbad");
    const auto host = parse_answer("{\"version\": \"\"}\n"
                                   R"({"problem": "x", "host": true})");
    CHECK(host.version.empty());
    CHECK(host.translation.error().code == Code::transient);
}

TEST_CASE("all problems of a commit, each bounded and without control characters") {
    const std::string text =
        "{\"version\": \"1.3.0\"}\n"
        R"J({"problem": "a (and 2 more problems)", "problems": ["a", "b\u001b[31m", ")J" +
        std::string(2000, 'c') + "\"]}";
    const auto answer = parse_answer(text);
    REQUIRE(!answer.translation);
    CHECK(answer.translation.error().message == "a (and 2 more problems)");
    REQUIRE(answer.others.size() == 2);
    CHECK(answer.others[0] == "b\\x1b[31m");
    CHECK(answer.others[1].size() <= 510);
    CHECK(answer.others[1].starts_with("ccc"));
}

TEST_CASE("a translator that ended in the middle has said its version") {
    for (const char* begun : {"{\"version\": \"9.9.9\"}", "{\"version\": \"9.9.9\"}\n",
                              "{\"version\": \"9.9.9\"}\n{\"calls\": [[\"run\""}) {
        const auto answer = parse_answer(begun);
        CHECK(answer.version == "9.9.9");
        CHECK(!answer.translation);
    }
}

TEST_CASE("an answer that is malformed has no translation") {
    for (const char* bad :
         {"", "[]", "{}", "nonsense", R"({"files": []})", R"({"calls": []})", R"({"model": {}})",
          R"({"model": {}, "calls": {}})", R"({"model": {}, "calls": [[7]]})",
          R"({"model": {}, "calls": [["a\u0000b"]]})", R"({"model": {}, "calls": ["run"]})"})
        CHECK_MESSAGE(!parse_answer("{\"version\": \"1.3.0\"}\n" + std::string(bad)).translation, bad);
}

TEST_CASE("the compose file: the configured one, else the first of four names") {
    const Scratch scratch;
    const Fd stage = scratch.open("stage");
    CHECK(find_compose_file(stage.get(), nullptr).error().message.starts_with("compose.yaml does not exist"));
    scratch.write("stage/docker-compose.yaml", "");
    CHECK(*find_compose_file(stage.get(), nullptr) == "docker-compose.yaml");
    scratch.write("stage/docker-compose.yml", "");
    scratch.write("stage/compose.yml", "");
    CHECK(*find_compose_file(stage.get(), nullptr) == "compose.yml");
    scratch.write("stage/compose.yaml", "");
    CHECK(*find_compose_file(stage.get(), nullptr) == "compose.yaml");
    for (const auto& bad : std::vector<std::string>{"../x", "/etc/passwd", "a//b", "", "missing.yaml"})
        CHECK_MESSAGE(!find_compose_file(stage.get(), &bad), bad);
    const std::string given = "compose.yml";
    CHECK(*find_compose_file(stage.get(), &given) == given);
}

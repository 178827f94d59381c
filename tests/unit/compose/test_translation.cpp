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
            "settings": {}},
            "files": [".env", "compose.yaml"], "notes": ["n"],
            "written": {"binds": {"/etc": "./l"}, "volumes": {"x": "d"}, "networks": {"y": 1}}})");
    CHECK(good.version == "1.3.0");
    REQUIRE(good.translation);
    CHECK(good.translation->version == "1.3.0");
    CHECK(good.translation->calls == std::vector<Argv>{{"run", "a\nb:", ""}, {}});
    CHECK(good.translation->files == std::vector<std::string>{".env", "compose.yaml"});
    CHECK(good.translation->notes == std::vector<std::string>{"n"});
    CHECK(good.translation->written.binds.at("/etc") == "./l");
    CHECK(good.translation->written.volumes.at("x") == "d");
    CHECK(good.translation->written.networks.at("y").empty());
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

TEST_CASE("the reasons of a commit, each bounded") {
    const std::string text =
        "{\"version\": \"1.3.0\"}\n"
        R"J({"reasons": [{"place": "compose.yaml:3", "service": "web", "setting": "tty", "value": "\"x\"",
            "problem": "must be a boolean", "advice": "write true", "kind": "wrong"},
            {"setting": "frob", "problem": "is not a key that Compose knows", "kind": "unknown"},
            {"service": "web", "setting": "pid", "problem": "nothing permits this", "kind": "refused"},
            {"service": "web", "setting": "isolation", "problem": "nothing permits this", "kind": "refused"},
            {"problem": ")J" +
        std::string(5000, 'c') + R"("}, 7], "notes": ["n"]})";
    const auto answer = parse_answer(text);
    REQUIRE(answer.translation);
    const auto& [version, calls, model, nested, files, notes, reasons, places, is_complete] =
        *answer.translation;
    CHECK_FALSE(is_complete);
    CHECK(notes == std::vector<std::string>{"n"});
    REQUIRE(reasons.size() == 6);
    CHECK(describe(reasons[0]) == "compose.yaml:3: web: tty: \"x\" must be a boolean; write true");
    CHECK(reasons[0].danger == Danger::value);
    CHECK(reasons[1].danger == Danger::key);
    CHECK(reasons[2].danger == Danger::host);
    CHECK(reasons[3].danger == Danger::key);
    CHECK(reasons[4].problem.size() <= 510);
}

TEST_CASE("where the files write a setting") {
    const auto answer = parse_answer("{\"version\": \"1.3.0\"}\n"
                                     R"J({"calls": [], "model": {}, "reasons": [{"setting": "a"}],
        "places": [["web", "ports", "80/tcp", "compose.yaml:5", "\"80:80\""], ["web"], 7, []]})J");
    REQUIRE(answer.translation);
    CHECK(answer.translation->is_complete);
    CHECK(answer.translation->reasons.size() == 1);
    REQUIRE(answer.translation->places.size() == 1);
    CHECK(answer.translation->places.at({"web", "ports", "80/tcp"}).place == "compose.yaml:5");
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

TEST_CASE("the compose file that messages name: the first configured one, else the first of four names") {
    const Scratch scratch;
    const Fd stage = scratch.open("stage");
    CHECK(find_compose_file(stage.get(), {}) == "compose.yaml");
    scratch.write("stage/docker-compose.yaml", "");
    CHECK(find_compose_file(stage.get(), {}) == "docker-compose.yaml");
    scratch.write("stage/docker-compose.yml", "");
    scratch.write("stage/compose.yml", "");
    CHECK(find_compose_file(stage.get(), {}) == "compose.yml");
    scratch.write("stage/compose.yaml", "");
    CHECK(find_compose_file(stage.get(), {}) == "compose.yaml");
    CHECK(find_compose_file(stage.get(), {"a/b.yml", "c.yml"}) == "a/b.yml");
}

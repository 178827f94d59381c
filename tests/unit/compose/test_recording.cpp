#include "compose/recording.hpp"

#include "scratch.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

TEST_CASE("recorded calls: any byte survives, and nothing malformed is read") {
    const auto calls = parse_calls("2:\n3:run\n4:a\nb:\n1:\n0:\n");
    REQUIRE(calls);
    REQUIRE(calls->size() == 2);
    CHECK((*calls)[0] == Argv{"run", "a\nb:"});
    CHECK((*calls)[1] == Argv{""});
    CHECK(parse_calls("")->empty());
    for (const char* bad : {"x", "1", "1:", "1:\n", "1:\n3:ab\n", "1:\n2:abc\n", "-1:\n",
                            "99999999999999999999:\n", "1:\n99999999:a\n", "2:\n1:a\n", "1:\n1:a"})
        CHECK_MESSAGE(!parse_calls(bad), bad);
}

TEST_CASE("the shim's result") {
    const auto good = parse_shim_result(
        R"({"model": {"keys": ["services"], "services": {"web": {"keys": ["image"], "restart": "always", "builds": true,
            "depends_on": {"db": "service_healthy"}}}}, "files": [".env", "compose.yaml"]})");
    REQUIRE(good);
    CHECK(good->files == std::vector<std::string>{".env", "compose.yaml"});
    CHECK(good->model.keys == std::vector<std::string>{"services"});
    const auto& web = good->model.services.at("web");
    CHECK(web.keys == std::vector<std::string>{"image"});
    CHECK(web.depends_on.at("db") == "service_healthy");
    CHECK(web.restart == "always");
    CHECK(web.builds);

    const auto problem = parse_shim_result(R"({"problem": "compose.yaml:3: \u001b[31mbad"})");
    REQUIRE(!problem);
    CHECK(problem.error().code == Code::permanent);
    CHECK(problem.error().message == "compose.yaml:3: \\x1b[31mbad");
    CHECK(parse_shim_result(R"({"problem": "x", "host": true})").error().code == Code::transient);
    for (const char* bad : {"", "[]", "{}", "nonsense", R"({"files": []})"})
        CHECK_MESSAGE(!parse_shim_result(bad), bad);
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

// Where a placeholder of a secret may stand, and what becomes of it.
#include "compose/secrets.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

namespace {

const Secrets secrets{{"DB", Secret("hunter2")}, {"TOKEN", Secret("{secret:DB}")}};

std::string problem_of(const Plan& plan) {
    Findings findings;
    check_secrets(plan, secrets, findings);
    const auto found = std::move(findings).take();
    return found.empty() ? "" : summary_of(found);
}

Plan plan_with(PlannedContainer container) {
    Plan plan;
    container.service = "web";
    plan.containers.push_back(std::move(container));
    return plan;
}

} // namespace

TEST_CASE("what the supervisor packed") {
    const auto read = secrets_from(std::string_view("A=b=c\0B=\0", 9));
    CHECK(read == Secrets{{"A", Secret("b=c")}, {"B", Secret()}});
    CHECK(secrets_from("").empty());
    CHECK(fmt::format("{}", read.at("A")) == "[redacted]");
}

TEST_CASE("whole files that the supervisor packed, with any bytes") {
    CHECK(secret_files_from(std::string_view("a\0"
                                             "3\0x\0yb-c\0"
                                             "0\0d\0"
                                             "1\0\n",
                                             18)) ==
          Secrets{{"a", Secret(std::string("x\0y", 3))}, {"b-c", Secret()}, {"d", Secret("\n")}});
    CHECK(secret_files_from("").empty());
    for (const std::string_view bad : {std::string_view("a\0"
                                                        "9\0x",
                                                        5),
                                       std::string_view("a\0x\0", 4),
                                       std::string_view("a\0"
                                                        "1",
                                                        3),
                                       std::string_view("a")})
        CHECK(secret_files_from(bad).empty());
}

TEST_CASE("a text stands for a whole file only as a whole") {
    CHECK(secret_file_in("{secret-file:db-password}") == "db-password");
    for (const char* text :
         {"{secret-file:a} ", "x{secret-file:a}", "{secret-file:}", "{secret-file:a/b}", "{secret:a}", ""})
        CHECK_MESSAGE(!secret_file_in(text), text);
    CHECK(unknown_secret("{secret:DB} and {secret:GONE}", secrets) == "GONE");
    CHECK(!unknown_secret("{secret:DB}{secret-file:x}", secrets));
}

TEST_CASE("a file in memory may hold a secret") {
    CHECK(problem_of(plan_with({"c", "", {{"--in-memory", "/t:0:0:0400:{secret:DB}"}}, "i", {}})).empty());
}

TEST_CASE("placeholders become values, once") {
    struct Row {
        const char* text;
        const char* expected; // nullptr: there is none
    };
    const Row rows[] = {
        {"A=b", nullptr},
        {"A={secret:DB}", "A=hunter2"},
        {"A=x{secret:DB}y{secret:DB}", "A=xhunter2yhunter2"},
        {"A={secret:TOKEN}", "A={secret:DB}"}, // a value is no text to look for placeholders in
        {"A={secret:}", nullptr},
        {"A={secret:D B}", nullptr},
        {"A={secret:DB", nullptr},
        {"A={secret:{secret:DB}", "A={secret:hunter2"},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(text);
        const auto got = with_secrets(text, secrets);
        CHECK(got.has_value() == (expected != nullptr));
        if (expected != nullptr)
            CHECK(got.value_or("") == expected);
    }
    CHECK(with_secrets("A=" + placeholder_of("DB"), secrets) == "A=hunter2");
}

TEST_CASE("only the environment of a container may hold a secret, and only one that there is") {
    const std::string only =
        " is a secret of the admin's env_file, which only environment, secrets and configs may hold; put it "
        "into environment, where the container finds it as its own $DB";
    CHECK(problem_of(plan_with({"c", "", {{"--env", "A={secret:DB}"}}, "i", {"x"}})).empty());
    CHECK(problem_of(plan_with({"c", "", {{"--label", "a={secret:DB}"}}, "i", {}})) ==
          "web: labels: DB" + only);
    CHECK(problem_of(plan_with({"c", "", {}, "{secret:DB}", {}})) == "web: image: DB" + only);
    CHECK(problem_of(plan_with({"c", "", {}, "i", {"sh", "{secret:DB}"}})) == "web: command: DB" + only);
    CHECK(problem_of(plan_with({"c", "", {{"--env", "A={secret:DB}{secret:GONE}"}}, "i", {}})) ==
          "web: environment: the admin's env_file has no GONE; ask the admin for it");
    for (const char* name : {"HOME", "LD_PRELOAD", "CONTAINERS_CONF", "XDG_RUNTIME_DIR", "PATH"})
        CHECK(problem_of(plan_with({"c", "", {{"--env", std::string(name) + "={secret:DB}"}}, "i", {}}))
                  .starts_with(std::string("web: environment: ") + name + " must not hold a secret: "));
    CHECK(problem_of(plan_with({"c", "", {{"--env", "A.b={secret:DB}"}}, "i", {}})) ==
          "web: environment: A.b must not hold a secret: it is not the name of a variable; take another "
          "name");
    CHECK(problem_of(plan_with({"c", "", {{"--env", "A=x\n{secret:DB}"}}, "i", {}})) ==
          "web: environment: A holds a secret and has several lines, which podman takes only on a "
          "command line that every user can read; hand it over as a file, with secrets of the compose file");
    CHECK(problem_of(
              plan_with({"c", "", {{"--env", "A=" + std::string(40'000, 'x') + "{secret:DB}"}}, "i", {}})) ==
          "web: environment: A holds a secret and is longer than 32768 bytes; hand it over "
          "as a file, with secrets of the compose file");
    Plan builds;
    builds.builds.push_back({"own", "/c", "/f", {{"--build-arg", "A={secret:DB}"}}});
    CHECK(problem_of(builds) == "build: DB" + only);
}

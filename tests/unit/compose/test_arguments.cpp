#include "compose/arguments.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::compose;

const Secrets no_secrets;

TEST_CASE("podman run: what was judged, our labels last, values out of the argv") {
    const PlannedContainer container{"demo_web_1",
                                     "web",
                                     {{"--env-file", "/s/stage/vars"},
                                      {"--env", "A=secret value"},
                                      {"--env", "MULTI=a\nb"},
                                      {"--label", "team=x"},
                                      {"--init", ""},
                                      {"--volume", "/s/stage/html:/www:ro"},
                                      {"--in-memory", "/run/secrets/a:33:0:0400:{secret:A}"},
                                      {"--volume", "demo_data:/d"}},
                                     "bb:latest",
                                     {"--not-an-option", "x y"}};
    const RunSettings settings{
        "demo",
        "7",
        "abc",
        "9a04",
        "/s/env-demo_web_1",
        {{"/s/stage/html", "/s/tree/html"}, {"/s/stage/vars", "/s/incoming/files/vars"}},
        no_secrets,
        {{"/run/secrets/a", "/run/user/7/pgod/demo/demo_web_1/0"}}};
    const RunCall call = run_call(container, settings);
    CHECK(call.arguments == Argv{"run",
                                 "--detach",
                                 "--pull=never",
                                 "--name=demo_web_1",
                                 "--env-file=/s/incoming/files/vars",
                                 "--env=MULTI=a\nb",
                                 "--label=team=x",
                                 "--init",
                                 "--volume=/s/tree/html:/www:ro",
                                 "--volume=/run/user/7/pgod/demo/demo_web_1/0:/run/secrets/a:ro",
                                 "--volume=demo_data:/d",
                                 "--env-file=/s/env-demo_web_1",
                                 "--label=pgod.service=demo",
                                 "--label=pgod.deployment=7",
                                 "--label=pgod.commit=abc",
                                 "--label=pgod.compose-service=web",
                                 "--label=io.containers.autoupdate=disabled",
                                 "--label=PODMAN_SYSTEMD_UNIT=",
                                 "9a04",
                                 "--not-an-option",
                                 "x y"});
    CHECK(call.environment == "A=secret value\n");
    CHECK(run_call({"n", "s", {}, "i", {}}, settings).environment.empty());
}

TEST_CASE("podman run: a secret is in the env file, and neither it nor its name in the argv") {
    const Secrets secrets{{"DB", Secret("hunter2")}, {"EMPTY", Secret()}};
    const PlannedContainer container{
        "c", "web", {{"--env", "URL=pg://u:{secret:DB}@db/{secret:EMPTY}x"}, {"--env", "A=b"}}, "i", {}};
    const RunCall call = run_call(container, {"demo", "7", "abc", "9a04", "/proc/self/fd/4", {}, secrets});
    CHECK(call.arguments[4] == "--env-file=/proc/self/fd/4");
    CHECK(call.environment == "URL=pg://u:hunter2@db/x\nA=b\n");
}

TEST_CASE("podman build") {
    // The name that the repository chose could be one that another service runs.
    CHECK(build_call({"nginx:1", "/s/stage/web", "/s/stage/web/Dockerfile", {{"--target", "t"}}},
                     "own:build-0") ==
          Argv{"build", "--tag=own:build-0", "--file=/s/stage/web/Dockerfile", "--target=t", "/s/stage/web"});
}

TEST_CASE("what an env file carries unharmed") {
    for (const char* good : {"A=", "A=b=c", "A_1.x-y= leading and trailing ", "A=#x", "A=\"q\"", "A=\tb"})
        CHECK_MESSAGE(fits_env_file(good), good);
    for (const std::string& bad :
         {std::string("A"), std::string("=x"), std::string(" A=x"), std::string("#A=x"),
          std::string("A=a\nb"), std::string("A=a\r"), std::string("A*=x"), "A=" + std::string(40'000, 'x'),
          std::string("A=\0b", 4)})
        CHECK_MESSAGE(!fits_env_file(bad), bad);
}

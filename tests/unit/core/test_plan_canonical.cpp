// Two ways to write the same thing are one plan: calls as different versions of podman-compose make them.
#include "core/plan_canonical.hpp"

#include "recorded_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace pgod;
using namespace pgod::test;

namespace {

// A run of "web" without a network of its own.
Argv run_of(const Argv& flags, const Argv& labels = own_labels_of("web")) {
    return joined({{"run", "--name=demo_web_1", "-d"}, flags, labels, {"docker.io/library/nginx:1"}});
}

Plan plan_of(const Argv& run) {
    Model model = web_model();
    model.services["web"].keys.emplace_back("networks");
    const auto [plan, violations] = parse_plan(with_default_network(run), "demo", std::move(model));
    CHECK(sentences(violations) == "");
    return plan;
}

struct Row {
    const char* name;
    Argv one;
    Argv other;
};

} // namespace

TEST_CASE("what podman does the same way is written the same way") {
    for (const auto& row : std::vector<Row>{
             {"the other name of a flag",
              {"--net", "demo_default", "--network-alias", "web"},
              {"--network=demo_default", "--network-alias=web"}},
             {"several networks",
              {"--net", "demo_front,demo_default", "--network-alias", "web", "--network-alias", "www"},
              {"--network", "demo_default", "--network-alias", "www", "--network", "demo_front",
               "--network-alias", "web"}},
             {"an alias said twice",
              {"--network", "demo_default", "--network-alias", "web"},
              {"--network=demo_default", "--network-alias", "web", "--network-alias", "web"}},
             {"volume and mount, 1.6",
              {"-v", "demo_d:/d:ro"},
              {"--mount", "type=volume,source=demo_d,destination=/d,ro"}},
             {"bind and mount",
              {"-v", "./d:/d"},
              {"--mount", "type=bind,source=" + stage + "/d,destination=/d"}},
             {"neighbours among ports",
              {"-p", "8000:80", "-p", "8001:81", "-p", "127.0.0.1:53:53/udp", "-p", "127.0.0.1:54:54/udp"},
              {"-p", "8000-8001:80-81", "-p", "127.0.0.1:53-54:53-54/udp"}},
             {"a mount that may be written to", {"-v", "demo_d:/d:rw"}, {"-v", "demo_d:/d"}},
             {"healthcheck, 1.6",
              {"--healthcheck-command", "x", "--healthcheck-interval", "1s", "--healthcheck-retries", "2"},
              {"--health-cmd", "x", "--health-interval", "1s", "--health-retries", "2"}},
             {"a size", {"-m", "52428800", "--shm-size", "1536m"}, {"-m", "50MiB", "--shm-size", "1.5g"}},
             {"a size of whole gigabytes", {"-m", "1024M"}, {"-m", "1g"}},
             {"a duration",
              {"--health-cmd", "x", "--health-interval", "90s", "--health-timeout", "0.5s"},
              {"--health-cmd", "x", "--health-interval", "1m30s", "--health-timeout", "500ms"}},
             {"a port of TCP", {"-p", "8080:80/tcp"}, {"-p", "8080:80"}},
             {"an exposed port of TCP", {"--expose", "80/tcp"}, {"--expose", "80"}},
             {"one limit for both", {"--ulimit", "nofile=10:10"}, {"--ulimit", "nofile=10"}},
             {"a label without a value", {"--label", "a"}, {"--label", "a="}},
             {"pull is said by pgod", {"--pull", "always"}, {"--pull=missing"}},
             {"the order of flags",
              {"--tty", "-e", "A=1", "--env-file", "/e", "-e", "B=2", "--init"},
              {"--init", "--env-file", "/e", "-e", "A=1", "-e", "B=2", "--tty"}},
         }) {
        CAPTURE(row.name);
        CHECK(plan_of(run_of(row.one)) == plan_of(run_of(row.other)));
    }
}

TEST_CASE("what podman does otherwise stays another plan") {
    for (const auto& row : std::vector<Row>{
             {"the last of two variables counts", {"-e", "A=1", "-e", "A=2"}, {"-e", "A=2", "-e", "A=1"}},
             {"env files likewise",
              {"--env-file", "/a", "--env-file", "/b"},
              {"--env-file", "/b", "--env-file", "/a"}},
             {"another alias", {"--network-alias", "a"}, {"--network-alias", "b"}},
             {"another network", {"--network=demo_default"}, {"--network=demo_front"}},
             {"no network", {"--network", "none"}, {}},
             {"read only", {"-v", "demo_d:/d:ro"}, {"-v", "demo_d:/d"}},
             {"another healthcheck", {"--health-cmd", "x"}, {"--health-cmd", "y"}},
             {"another size", {"-m", "1.1k"}, {"-m", "1k"}},
             {"another duration",
              {"--health-cmd", "x", "--health-interval", "1us"},
              {"--health-cmd", "x", "--health-interval", "2us"}},
             {"another port", {"-p", "80:80/udp"}, {"-p", "80:80"}},
             {"another limit", {"--ulimit", "nofile=10:20"}, {"--ulimit", "nofile=10"}},
         }) {
        CAPTURE(row.name);
        CHECK(plan_of(run_of(row.one)) != plan_of(run_of(row.other)));
    }
}

TEST_CASE("podman-compose's own labels of every version") {
    const Argv later{"--label", "a=b",
                     "--label", "io.podman.compose.project=demo",
                     "--label", "io.podman.compose.version=1.6.0",
                     "--label", "PODMAN_SYSTEMD_UNIT=podman-compose@demo.service",
                     "--label", "com.docker.compose.project=demo",
                     "--label", "com.docker.compose.project.working_dir=" + stage,
                     "--label", "com.docker.compose.project.config_files=" + stage + "/compose.yaml",
                     "--label", "io.podman.compose.config-hash=bd7c1ff1e6d8",
                     "--label", "com.docker.compose.container-number=1",
                     "--label", "io.podman.compose.service=web",
                     "--label", "com.docker.compose.service=web"};
    CHECK(plan_of(run_of({}, later)) == plan_of(run_of({"--label", "a=b"})));
    for (const std::string& label :
         {std::string("PODMAN_SYSTEMD_UNIT=podman-compose@other.service"),
          std::string("PODMAN_SYSTEMD_UNIT="), std::string("io.podman.compose.service=other")}) {
        CAPTURE(label);
        const auto read = parse_web(web_run({"--label", label}));
        REQUIRE(read.violations.size() == 1);
        CHECK(read.violations[0].setting == "labels");
    }
}

// Also aliases: podman-compose's own are flags of their own by then, and network_mode may not bring any.
TEST_CASE("options of a network that no service may have") {
    for (const char* mode :
         {"demo_default:alias=web", "demo_default:ip=10.89.0.9,ip=10.89.0.8", "demo_default:mac=92:d0",
          "demo_default:ip=fd00::1", "demo_default:interface_name=a/b", "demo_default:", "container:x",
          "container:x/y", "a,b:ip=10.89.0.9", "bridge:ip=10.89.0.9", "bridge:alias=web", "ns:/proc/1/ns/net",
          "slirp4netns:port_handler=x"}) {
        CAPTURE(mode);
        const auto read = parse_web(web_run({}, {"--network", mode}));
        REQUIRE(read.violations.size() == 1);
        CHECK(read.violations[0].setting == "network_mode");
    }
}

TEST_CASE("the model: keys sorted and without podman-compose's own, the default condition is none") {
    Plan plan;
    plan.model.keys = {"services", "_dirname", "networks", "services"};
    plan.model.services["web"] = {{"image", "_deps", "command"},
                                  {{"a", "service_started"}, {"b", "service_healthy"}, {"c", ""}},
                                  "",
                                  false};
    const Plan made = canonical(plan);
    CHECK(made.model.keys == std::vector<std::string>{"networks", "services"});
    const auto& web = made.model.services.at("web");
    CHECK(web.keys == std::vector<std::string>{"command", "image"});
    CHECK(web.depends_on ==
          std::map<std::string, std::string>{{"a", ""}, {"b", "service_healthy"}, {"c", ""}});
    CHECK(canonical(made) == made);
}

TEST_CASE("a build: the order of its flags") {
    const auto built = [](const Argv& flags) {
        auto calls = with_default_network(web_run({}, {}, {"demo_web"}));
        calls.push_back(joined({{"build", "-t", "demo_web", "-f", "D"}, flags, {"."}}));
        return parse_plan(calls, "demo", web_model()).plan;
    };
    CHECK(built({"--build-arg", "A=1", "--target", "t"}) == built({"--target", "t", "--build-arg", "A=1"}));
    CHECK(built({"--build-arg", "A=1", "--build-arg", "A=2"}) !=
          built({"--build-arg", "A=2", "--build-arg", "A=1"}));
}

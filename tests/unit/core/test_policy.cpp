#include "core/policy.hpp"

#include "core/policy_settings.hpp"

#include "core/mount.hpp"
#include "core/paths.hpp"
#include "recorded_plan.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::test;

namespace {

// What the policy says of one service "web" with these flags; parsing must have had no complaint.
std::string verdict(const Argv& flags, const PolicyGrants& grants) {
    auto calls = with_default_network(web_run(flags));
    calls.push_back({"volume", "create", "demo_data"});
    const auto [plan, violations] = parse_plan(calls, "demo", web_model());
    REQUIRE(sentences(violations) == "");
    return sentences(judge(plan, grants));
}

PolicyGrants with_ports(std::vector<PortRange> ports) {
    auto grants = no_grants();
    grants.ports = std::move(ports);
    return grants;
}

Plan plan_of(Model model) {
    Plan plan;
    plan.project = "demo";
    for (const auto& [name, service] : model.services) {
        PlannedContainer container;
        container.name = "demo_" + name + "_1";
        container.service = name;
        plan.containers.push_back(container);
    }
    plan.model = std::move(model);
    return plan;
}

} // namespace

TEST_CASE("an ordinary plan passes") {
    const auto plan = parse_plan(recorded_calls(), "demo", recorded_model()).plan;
    CHECK(sentences(judge(plan, no_grants())) == "");
    CHECK(sentences(judge(plan, with_ports({{7000, 7000}, {8080, 8443}, {9000, 9001}, {9002, 9002}}))) == "");
}

TEST_CASE("host ports") {
    struct Row {
        std::string port;
        std::vector<PortRange> granted;
        const char* expected;
    };
    const std::string service = "web: ports: ";
    for (const auto& row : std::vector<Row>{
             {"5005:80", {{5005, 5010}}, ""},
             {"5010:80/udp", {{5005, 5010}}, ""},
             {"[::1]:5005-5010:80-85", {{5005, 5010}}, ""},
             {"80:80",
              {{5005, 5010}},
              "host port 80 is outside 5005-5010; the admin can grant it with ports = [\"80/0\"]\n"},
             {"5004:80",
              {{5005, 5010}, {1025, 1030}},
              "host port 5004 is outside 5005-5010, 1025-1030; the admin can grant it with ports = "
              "[\"5004/0\"]\n"},
             {"127.0.0.1:5011:80/sctp",
              {{5005, 5010}},
              "host port 5011 is outside 5005-5010; the admin can grant it with ports = [\"5011/0\"]\n"},
             {"5008-5012:80-84",
              {{5005, 5010}},
              "host port 5011 is outside 5005-5010; the admin can grant it with ports = [\"5008/4\"]\n"},
             {"80",
              {{5005, 5005}},
              "container port 80 asks for a random host port, and this service may only bind 5005; write "
              "HOST_PORT:CONTAINER_PORT\n"},
             {"127.0.0.1::80-81",
              {{5005, 5005}},
              "container port 80-81 asks for a random host port, and this service may only bind 5005; write "
              "HOST_PORT:CONTAINER_PORT\n"},
             {"80:80",
              {},
              "host port 80 is outside the granted ports, of which there are none; the admin can grant it "
              "with "
              "ports = [\"80/0\"]\n"},
         }) {
        CAPTURE(row.port);
        const auto expected = *row.expected == '\0' ? std::string() : service + row.expected;
        CHECK(verdict({"-p", row.port}, with_ports(row.granted)) == expected);
        CHECK(verdict({"-p", row.port}, no_grants()) == ""); // without `ports`: any
    }
}

TEST_CASE("a host port is bound once") {
    CHECK(verdict({"-p", "8080:80", "-p", "8080:81"}, no_grants()) ==
          "web: ports: host port 8080 is bound twice by this file\n");
    CHECK(verdict({"-p", "8080:80", "-p", "127.0.0.1:8080:81"}, no_grants()).find("twice") !=
          std::string::npos);
    CHECK(verdict({"-p", "8000-8100:8000-8100", "-p", "8050:80"}, no_grants()).find("8050") !=
          std::string::npos);
    CHECK(verdict({"-p", "8080:80", "-p", "8080:80/udp"}, no_grants()) == "");
    CHECK(verdict({"-p", "127.0.0.1:8080:80", "-p", "127.0.0.2:8080:80"}, no_grants()) == "");
    CHECK(verdict({"-p", "80", "-p", "81"}, no_grants()) == "");
    CHECK(verdict({"-p", "1-65535:1-65535"}, no_grants()).find("more than 10000 host ports") !=
          std::string::npos);
}

TEST_CASE("bind mounts") {
    auto granted = no_grants();
    granted.volumes = {"/srv/miek", "/data/"};
    for (const std::string& source :
         std::vector<std::string>{"/srv/stage/1/html", "/srv/stage/1", "./x/y", "."})
        CHECK(verdict({"-v", source + ":/x"}, no_grants()) == "");
    for (const std::string& source :
         std::vector<std::string>{"/srv/miek/a/b", "/srv/miek", "/data/x", "/data"})
        CHECK(verdict({"-v", source + ":/x"}, granted) == "");
    CHECK(verdict({"-v", "/srv/other:/x"}, no_grants()) ==
          "web: volumes: \"/srv/other\" is outside of the repository; the admin can grant it with "
          "volumes = [\"/srv/other\"]\n");
    CHECK(verdict({"-v", "/srv/mieke:/x"}, granted) ==
          "web: volumes: \"/srv/mieke\" is outside of the repository and of the directories that "
          "are "
          "granted; the admin can grant it with volumes = [\"/srv/mieke\"]\n");
    CHECK(verdict({"--mount", "type=bind,source=/srv/stage/12,target=/x"}, no_grants()) != "");
    for (const std::string& source :
         std::vector<std::string>{"/etc", "/", "/run/user/1000/podman", "/proc/1/root", "/srv/stage"}) {
        CAPTURE(source);
        const auto said = verdict({"-v", source + ":/x"}, granted);
        CHECK(said.find("outside of the repository") != std::string::npos);
        CHECK((said.find("admin") == std::string::npos) == (source != "/srv/stage"));
    }
    auto kept = no_grants();
    kept.state = "/opt/pgod";
    kept.home = "/users/ann";
    for (const std::string& source :
         std::vector<std::string>{"/opt/pgod/services/other/tree", "/opt/pgod", "/opt", "/users/ann",
                                  "/users/ann/.ssh", "/users", "/home/bob"}) {
        CAPTURE(source);
        const auto said = verdict({"-v", source + ":/x"}, kept);
        CHECK(said.find("volumes = [") == std::string::npos);
        CHECK(said.find("use a named volume") != std::string::npos);
    }
    CHECK(verdict({"-v", "/srv/x:/x"}, kept).find("volumes = [\"/srv/x\"]") != std::string::npos);
    auto everything = no_grants();
    everything.volumes = {"/"};
    CHECK(verdict({"-v", "/opt/x:/x"}, everything) == "");
}

TEST_CASE("the host's time may be read") {
    for (const std::string& source :
         std::vector<std::string>{"/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo",
                                  "/usr/share/zoneinfo/Europe/Amsterdam"}) {
        CAPTURE(source);
        CHECK(verdict({"-v", source + ":/t:ro"}, no_grants()) == "");
        CHECK(verdict({"-v", source + ":/t"}, no_grants()).find("is outside of the repository") !=
              std::string::npos);
    }
    for (const std::string& source :
         std::vector<std::string>{"/etc/localtime/x", "/etc/timezones", "/usr/share/zoneinfos", "/usr/share"})
        CHECK(verdict({"-v", source + ":/t:ro"}, no_grants()) != "");
    auto granted = no_grants(); // root owns /etc: what lies there does not change under a container
    granted.volumes = {"/etc"};
    CHECK(verdict({"-v", "/etc:/e", "-v", "/etc/localtime:/etc/localtime:ro"}, granted) == "");
}

TEST_CASE("names of images that are pgod's own") {
    for (const auto& [image, good] : {std::pair{"localhost/pgod/other:0123456789ab", false},
                                      {"localhost/pgod/demo:0123456789ab", false},
                                      {"pgod/other", false},
                                      {"docker.io/pgod/other", true},
                                      {"localhost/pgodx", true},
                                      {"localhost/own:1", true},
                                      {"pgod", true}}) {
        auto plan = plan_of({});
        plan.model.services["web"];
        plan.containers = {{"demo_web_1", "web", {}, image, {}}};
        CAPTURE(image);
        CHECK((sentences(judge(plan, no_grants())).find("keeps for itself") == std::string::npos) == good);
    }
}

TEST_CASE("an image is asked for by a name, never by the id of any image of the user") {
    const std::string id(64, 'a');
    for (const auto& [image, good] : {std::pair{id, false},
                                      {"sha256:" + id, false},
                                      {"sha256:0123456789ab", false},
                                      {"sha512:0123456789ab", false},
                                      {std::string("0123456789ab"), false},
                                      {std::string("9a"), false}, // podman takes any beginning of an id
                                      {std::string("cafe:latest"), true},
                                      {std::string("docker.io/library/cafe"), true},
                                      {"nginx@sha256:" + id, true},
                                      {std::string("nginx"), true}}) {
        auto plan = plan_of({});
        plan.model.services["web"];
        plan.containers = {{"demo_web_1", "web", {}, image, {}}};
        CAPTURE(image);
        CHECK((sentences(judge(plan, no_grants())).find("could be the id of an image") ==
               std::string::npos) == good);
        plan.builds = {{image, "/srv/stage", "/srv/stage/Containerfile", {}}};
        CHECK(sentences(judge(plan, no_grants())).find("could be the id of an image") == std::string::npos);
    }
}

TEST_CASE("volumes and networks of the own project only") {
    CHECK(verdict({"-v", "demo_data:/d"}, no_grants()) == "");
    CHECK(verdict({"-v", "/d"}, no_grants()) == "");
    // external: podman-compose asks for no create
    CHECK(verdict({"-v", "other_data:/d"}, no_grants()) ==
          "web: volumes: \"other_data\" is not a volume of this service; without \"external\" and "
          "\"name\" it is one; the admin can grant it with volumes = [\"other_data\"]\n");
    CHECK(
        verdict({"--net", "other_net"}, no_grants()).find("\"other_net\" is not a network of this service") !=
        std::string::npos);
    // top-level `name:`
    const std::vector<Argv> foreign{{"volume", "create", "other_data"},
                                    {"network", "create", "other_net"},
                                    {"volume", "create", "demo_"}};
    const auto plan = parse_plan(foreign, "demo", {}).plan;
    const auto said = sentences(judge(plan, no_grants(), {{}, {{"other_data", "d"}}, {}}));
    CHECK(said.find("volumes: \"d\", which podman calls \"other_data\", is not a volume of this service") !=
          std::string::npos);
    CHECK(said.find("networks: \"other_net\" is not a network of this service") != std::string::npos);
    CHECK(said.find("\"demo_\" is not a volume") != std::string::npos);
    auto granted = no_grants();
    granted.volumes = {"other_data", "demo_"};
    granted.networks = {"other_net"};
    CHECK(sentences(judge(plan, granted)) == "");
    CHECK(verdict({"-v", "other_data:/d"}, granted) == "");
    CHECK(verdict({"-v", "/other_data:/d"}, granted) != "");
}

TEST_CASE("a bind is named as the file writes it, and as it leads") {
    auto plan = plan_of({});
    plan.model.services["web"];
    plan.containers = {{"demo_web_1", "web", {{"--volume", "/etc:/x"}}, "x", {}}};
    CHECK(sentences(judge(plan, no_grants(), {{{"/etc", "./link"}}, {}, {}}))
              .find("volumes: \"./link\", which leads to \"/etc\", is outside of the repository") !=
          std::string::npos);
}

TEST_CASE("nothing permits a socket of podman") {
    auto granted = no_grants();
    granted.volumes = {"/run"};
    for (const std::string& source :
         std::vector<std::string>{"/run/docker.sock", "/run/user/1000/podman/podman.sock"})
        for (const auto& grants : {granted, no_grants()})
            CHECK(verdict({"-v", source + ":/s:ro"}, grants).find("nothing permits this") !=
                  std::string::npos);
    CHECK(verdict({"-v", "/run/app.sock:/s"}, granted) == "");
}

TEST_CASE("networks that the admin grants") {
    CHECK(verdict({"--net", "other_net"}, no_grants()) ==
          "web: networks: \"other_net\" is not a network of this service; without \"external\" and "
          "\"name\" it is one; the admin can grant it "
          "with networks = [\"other_net\"]\n");
    auto granted = no_grants();
    granted.networks = {"shared", "other_net"};
    CHECK(verdict({"--net", "other_net,shared"}, granted) == "");
    CHECK(verdict({"--net", "other_net,another"}, granted).find("\"another\" is not") != std::string::npos);
}

TEST_CASE("files outside of the stage") {
    CHECK(verdict({"--env-file", stage + "/a.env"}, no_grants()) == "");
    for (const std::string& file :
         std::vector<std::string>{"/home/other/.env", "/srv/stage/1/../2/x", "/srv/stage/10/x"})
        CHECK(verdict({"--env-file", file}, no_grants()).find("env_file: \"") != std::string::npos);
    for (const Argv& build : std::vector<Argv>{{"build", "-t", "demo_web", "-f", "/etc/passwd", "."},
                                               {"build", "-t", "demo_web", "-f", "./D", ".."},
                                               {"build", "-t", "demo_web", "-f", "./D", "/home"}}) {
        auto calls = with_default_network(web_run({}, {}, {"demo_web"}));
        calls.push_back(build);
        const auto [plan, violations] = parse_plan(calls, "demo", web_model());
        CHECK(sentences(violations) == "");
        const auto said = sentences(judge(plan, no_grants()));
        CHECK(said.find("web: build: ") == 0);
        CHECK(said.find("is outside of the repository; nothing permits it\n") != std::string::npos);
    }
    auto nowhere = no_grants();
    nowhere.stage.clear();
    CHECK(verdict({"-v", "/a:/b"}, nowhere) != "");
}

TEST_CASE("keys that the reader hands on although podman-compose would act on them") {
    Model model;
    model.keys = {"services", "secrets", "configs", "x-podman", "x-own"};
    model.services["web"].keys = {"image", "secrets", "x-podman.uidmaps", "x-podmanage"};
    CHECK(sentences(judge(plan_of(model), no_grants())) ==
          "\"x-podman\" would hand options to podman that nobody judged; remove it\n"
          "web: \"x-podman.uidmaps\" would hand options to podman that nobody judged; remove it\n");
}

TEST_CASE("dependencies") {
    Model model;
    model.services["a"].depends_on = {{"b", "service_healthy"}, {"c", ""}};
    model.services["b"].depends_on = {{"c", "service_completed_successfully"}};
    model.services["c"];
    CHECK(sentences(judge(plan_of(model), no_grants())) == "");
    model.services["c"].depends_on = {{"b", ""}};
    const auto cycle = sentences(judge(plan_of(model), no_grants()));
    CHECK(cycle.find("b: depends_on: waits for itself") != std::string::npos);
    CHECK(cycle.find("a: depends_on") != std::string::npos); // waits for them
    model.services["c"].depends_on = {{"b", ""}, {"e", ""}};
    model.services["e"];
    CHECK(sentences(judge(plan_of(model), no_grants())).find("c: depends_on: waits for itself") !=
          std::string::npos);
    model.services["c"].depends_on = {{"d", "service_running"}};
    CHECK(sentences(judge(plan_of(model), no_grants())) ==
          "c: depends_on: \"d\" is not a service of this file\n"
          "c: depends_on: condition \"service_running\" is unknown\n");
}

TEST_CASE("every service has its container, and every container its name") {
    Model model;
    model.services["a"].keys = {"image", "container_name"};
    model.services["b"].keys = {"image", "container_name"};
    auto plan = plan_of(model);
    plan.containers.erase(plan.containers.begin());
    CHECK(sentences(judge(plan, no_grants())).find("a: container_name: ") == 0);
    plan.model.services["a"].keys.push_back("deploy"); // replicas: 0
    CHECK(sentences(judge(plan, no_grants())) == "");
    plan.containers.push_back(plan.containers[0]);
    CHECK(sentences(judge(plan, no_grants())) == "b: container_name: \"demo_b_1\" is used twice\n");
    plan.containers[1].name = "x";
    plan.containers[1].service = "c";
    CHECK(sentences(judge(plan, no_grants())).find("does not have this service") != std::string::npos);
}

TEST_CASE("a container takes no name of another service of the user") {
    struct Row {
        std::string name;
        std::string expected;
    };
    const auto belongs_to = [](const std::string& name, const std::string& owner) {
        return "web: container_name: \"" + name + "\" is a name for containers of the service \"" + owner +
               "\"; choose one that does not begin with \"" + owner + "_\"\n";
    };
    for (const auto& row :
         {Row{"ab_web_1", belongs_to("ab_web_1", "ab")}, Row{"ab_x", belongs_to("ab_x", "ab")},
          Row{"ab-cd_web_1", belongs_to("ab-cd_web_1", "ab-cd")}, Row{"ab", ""}, Row{"ab-web-1", ""},
          Row{"abc_web_1", ""}, Row{"demo_web_1", ""}, Row{"x_ab_1", ""}}) {
        CAPTURE(row.name);
        Model model;
        model.services["web"].keys = {"image", "container_name"};
        auto plan = plan_of(model);
        plan.containers[0].name = row.name;
        auto grants = no_grants();
        grants.neighbours = {"ab", "ab-cd", "demo-2"};
        CHECK(sentences(judge(plan, grants)) == row.expected);
        plan.containers[0].name = "demo_web_1";
        plan.volumes.push_back({"ab_data", {}}); // judge_own() refuses these with any neighbours
        plan.networks.push_back({"demo-2_default", {}});
        CHECK(judge(plan, grants).size() == 2);
    }
}

TEST_CASE("every violation is found") {
    Model model;
    for (int i = 0; i < 50; ++i)
        model.keys.push_back("x-podman." + std::to_string(i));
    CHECK(judge(plan_of(model), no_grants()).size() == 50);
}

TEST_CASE("paths as text") {
    CHECK(lexical_path("/a/b", "../c/./d//e") == "/a/c/d/e");
    CHECK(lexical_path("/a", "/") == "/");
    CHECK(lexical_path("", "/x/..") == "/");
    CHECK_FALSE(lexical_path("/a", "../.."));
    CHECK_FALSE(lexical_path("a", "b"));
    CHECK(is_at_or_beneath("/a/b", "/a"));
    CHECK(is_at_or_beneath("/a", "/a/"));
    CHECK(is_at_or_beneath("/a", "/"));
    CHECK_FALSE(is_at_or_beneath("/ab", "/a"));
    CHECK_FALSE(is_at_or_beneath("a/b", "/"));
    CHECK_FALSE(is_at_or_beneath("/a", ""));
}

TEST_CASE("x-pgo") {
    struct Row {
        std::map<std::string, std::string> settings;
        std::vector<std::string> problems;
    };
    const Row rows[] = {
        {{}, {}},
        {{{"strategy", "changed"}}, {}},
        {{{"strategy", "all"}}, {}},
        {{{"strategy", "Changed"}}, {"strategy \"Changed\" is unknown; there are \"all\" and \"changed\""}},
        {{{"", "list"}}, {"holds settings, as {strategy: changed}, and not a list"}},
        {{{"urls", "list"}}, {"urls holds names, as {\"blog.example.org\": \":5007\"}, and not a list"}},
        {{{"stategy", "all"}},
         {"\"stategy\" is not a setting that pgod knows; there are \"strategy\" and \"urls\""}},
    };
    for (const auto& row : rows) {
        Model model;
        model.settings = row.settings;
        Findings findings;
        judge_settings(model, findings);
        std::vector<std::string> problems;
        for (const auto& violation : std::move(findings).take()) {
            CHECK(violation.setting == "x-pgo");
            problems.push_back(violation.problem);
        }
        CHECK(problems == row.problems);
    }
}

#include "compose/container.hpp"

#include <doctest/doctest.h>

#include <tuple>

using namespace pgod;
using namespace pgod::compose;

namespace {

Container container(std::string state, int exit_code = 0, ContainerHealth health = ContainerHealth::none) {
    Container made;
    made.id = "id";
    made.name = "demo_web_1";
    made.state = std::move(state);
    made.exit_code = exit_code;
    made.health = health;
    made.deployment = "7";
    return made;
}

} // namespace

TEST_CASE("podman's JSON, as podman 4.3.1 prints it") {
    const auto parsed = parse_containers(
        R"json([{"Id":"abc","Image":"localhost/bb:latest","ImageID":"9a04","Names":["demo_web_1"],
        "Labels":{"pgod.service":"demo","pgod.deployment":"7","pgod.commit":"c","pgod.compose-service":"web"},
        "Ports":[{"host_ip":"","container_port":80,"host_port":5007,"range":1,"protocol":"tcp"},
                 {"host_ip":"127.0.0.1","container_port":81,"host_port":6000,"range":3,"protocol":"udp"}],
        "State":"exited","Status":"Up 2 minutes (healthy)","ExitCode":3,"Pid":42,"Created":1795222198},
        {"Names":null,"Labels":null,"Ports":null}, 7, null])json");
    REQUIRE(parsed.size() == 4);
    const Container& first = parsed[0];
    CHECK(first.id == "abc");
    CHECK(first.name == "demo_web_1");
    CHECK(first.owner == "demo");
    CHECK(first.service == "web");
    CHECK(first.health == ContainerHealth::healthy);
    CHECK(first.exit_code == 3);
    CHECK(first.pid == 42);
    CHECK(first.ports == std::vector<std::string>{"0.0.0.0:5007->80/tcp", "127.0.0.1:6000-6002->81-83/udp"});
    CHECK(first.host_ports == std::vector<std::uint16_t>{5007, 6000, 6001, 6002});
    CHECK(parsed[1].name.empty());
    CHECK(owned_by(parsed, "demo").size() == 1);
    CHECK(parse_containers("").empty());
    CHECK(parse_containers("{}").empty());
    CHECK(parse_containers("[[[").empty());
    const auto beyond = parse_containers(
        R"([{"Ports":[{"container_port":9223372036854775807,"host_port":65534,"range":9000}]}])");
    CHECK(beyond.at(0).ports == std::vector<std::string>{"0.0.0.0:65534-65535->65535-65536/"});
    CHECK(beyond.at(0).host_ports == std::vector<std::uint16_t>{65534, 65535});
    const auto ages = parse_containers(
        R"([{"Created":9223372036854775807,"StartedAt":-9223372036854775808,"ExitedAt":-62135596800}])");
    CHECK(ages.at(0).created == 253'402'300'799); // the end of the year 9999
    CHECK(ages.at(0).started == -62'135'596'800);
    CHECK(ages.at(0).exited == -62'135'596'800);
}

TEST_CASE("podman's JSON, as podman 5.4.2 prints it") {
    const auto parsed = parse_containers(
        R"json([{"AutoRemove":false,"Command":["sleep","1000"],"CreatedAt":"Less than a second ago","CIDFile":"",
        "Exited":false,"ExitedAt":-62135596800,"ExitCode":0,"ExposedPorts":{"80":["tcp"]},"Id":"c83b",
        "Image":"localhost/bb:latest","ImageID":"f6f2","IsInfra":false,"Labels":{"pgod.service":"demo"},"Mounts":[],
        "Names":["demo_web_1"],"Namespaces":{},"Networks":["demo_default"],"Pid":126,"Pod":"","PodName":"",
        "Ports":[{"host_ip":"127.0.0.1","container_port":80,"host_port":5007,"range":1,"protocol":"tcp"}],
        "Restarts":0,"Size":null,"StartedAt":1796041024,"State":"running",
        "Status":"Up Less than a second (healthy)","Created":1796041024}])json");
    REQUIRE(parsed.size() == 1);
    const Container& web = parsed.front();
    CHECK(std::tie(web.id, web.name, web.owner, web.image_id) ==
          std::tuple("c83b", "demo_web_1", "demo", "f6f2"));
    CHECK(web.ports == std::vector<std::string>{"127.0.0.1:5007->80/tcp"}); // exposed ones are not published
    CHECK(web.networks == std::vector<std::string>{"demo_default"});
    CHECK(web.health == ContainerHealth::healthy);
    CHECK(web.exited < web.started);
    const auto health_of = [](const std::string& state, const std::string& status) {
        return parse_containers(R"([{"State":")" + state + R"(","Status":")" + status + "\"}]")
            .front()
            .health;
    };
    CHECK(health_of("running", "Up 2 seconds (stopped)") == ContainerHealth::starting);
    CHECK(health_of("exited", "Exited (0) 2 seconds ago (stopped)") == ContainerHealth::none);
}

TEST_CASE("what is to be thought of a container") {
    struct Row {
        const char* what;
        Container seen;
        bool may_end;
        Verdict verdict;
        const char* problem;
    };
    Container other_id = container("running");
    other_id.id = "other";
    Container other_deployment = container("running");
    other_deployment.deployment = "6";
    Container other_name = container("running");
    other_name.name = "x";
    const Row rows[] = {
        {"runs", container("running"), false, Verdict::good, ""},
        {"ended well, meant to", container("exited", 0), true, Verdict::good, ""},
        {"ended well, not meant to", container("exited", 0), false, Verdict::bad, "web exited with status 0"},
        {"ended badly", container("exited", 3), true, Verdict::bad, "web exited with status 3"},
        {"stopped", container("stopped", 137), true, Verdict::bad, "web exited with status 137"},
        {"never started", container("created"), true, Verdict::bad, "web is created"},
        {"paused", container("paused"), true, Verdict::bad, "web is paused"},
        {"starting", container("running", 0, ContainerHealth::starting), true, Verdict::waiting,
         "web has not passed its healthcheck yet"},
        {"healthy", container("running", 0, ContainerHealth::healthy), true, Verdict::good, ""},
        {"unhealthy", container("running", 0, ContainerHealth::unhealthy), true, Verdict::bad,
         "web is unhealthy"},
        {"another id", other_id, true, Verdict::bad, "web was replaced by another container"},
        {"another deployment", other_deployment, true, Verdict::bad, "web was replaced by another container"},
        {"another name", other_name, true, Verdict::missing, "web has no container"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const ExpectedContainer expected{"demo_web_1", "web", "id", "7", row.may_end};
        const Judgement judgement = judge_container(expected, {&row.seen, 1});
        CHECK(judgement.verdict == row.verdict);
        CHECK(judgement.problem == row.problem);
    }
}

TEST_CASE("the health of a service") {
    const std::vector<ExpectedContainer> two{{"a", "a", "", "", false}, {"b", "b", "", "", false}};
    const auto seen = [](const char* a, const char* b, ContainerHealth health = ContainerHealth::none) {
        std::vector<Container> list;
        for (const auto& [name, state] : {std::pair{"a", a}, {"b", b}}) {
            if (state == nullptr)
                continue;
            list.push_back(container(state, 1, health));
            list.back().name = name;
        }
        return list;
    };
    CHECK(health_of(two, seen("running", "running")) == Health::healthy);
    CHECK(health_of(two, seen("running", "exited")) == Health::degraded);
    CHECK(health_of(two, seen("running", nullptr)) == Health::degraded);
    CHECK(health_of(two, seen(nullptr, nullptr)) == Health::missing);
    CHECK(health_of(two, seen("running", "running", ContainerHealth::starting)) == Health::progressing);
    CHECK(health_of(two, seen("running", "running", ContainerHealth::unhealthy)) == Health::degraded);
}

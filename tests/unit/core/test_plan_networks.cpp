#include "core/plan_networks.hpp"

#include "core/subnet.hpp"
#include "recorded_plan.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::test;

namespace {

using Names = std::vector<std::string_view>;

Argv run_of(const std::string& service, const Argv& networks) {
    return joined(
        {{"run", "--name=demo_" + service + "_1", "-d"}, own_labels_of(service), networks, {"bb:1"}});
}

std::string networks_of(const PlannedContainer& container) {
    std::string text;
    for (const auto& option : container.options)
        if (option.flag == "--network")
            text += option.value + " ";
    return text;
}

// What the policy says of "web" that shares the network of a container.
std::string of_sharing(const std::string& name, const Model& model) {
    const std::vector<Argv> calls{{"network", "create", "demo_default"},
                                  run_of("vpn", {"--network", "demo_default"}),
                                  run_of("web", {"--network", "container:" + name})};
    const auto read = parse_plan(calls, "demo", model);
    REQUIRE(sentences(read.violations) == "");
    return sentences(judge(read.plan, no_grants()));
}

std::string of_subnets(const std::vector<std::string>& subnets) {
    std::vector<Argv> calls;
    for (std::size_t i = 0; i < subnets.size(); ++i)
        calls.push_back({"network", "create", "--subnet", subnets[i], "demo_" + std::to_string(i)});
    const auto read = parse_plan(calls, "demo", {});
    REQUIRE(sentences(read.violations) == "");
    return sentences(judge(read.plan, no_grants()));
}

} // namespace

TEST_CASE("names and options of --network") {
    const PlanOption two{"--network", "a,b"};
    const PlanOption one{"--network", "a:ip=10.0.0.2"};
    CHECK(network_names(two) == Names{"a", "b"});
    CHECK(network_names(one) == Names{"a"});
    for (const char* mode : {"host", "none", "container:x"})
        CHECK(network_names({"--network", mode}).empty());
    CHECK(network_names({"--volume", "a"}).empty());
    CHECK(shared_container("container:x") == "x");
    CHECK_FALSE(container_shared_by({"--network", "x"}));
    CHECK(are_network_options("ip=10.0.0.2,ip6=fd00::2,mac=02:42:ac:11:65:43,interface_name=eth7"));
    for (const char* options :
         {"", "ip=", "ip=x", "ip6=10.0.0.2", "alias=x", "interface_name=aaaaaaaaaaaaaaaa", "ip=10.0.0.2,",
          "mac=02:42:ac:11:65:4g", "mac=03:42:ac:11:65:43", "interface_name=lo"}) {
        CAPTURE(options);
        CHECK_FALSE(are_network_options(options));
    }
}

TEST_CASE("networks with options come after the names of the others") {
    Model model;
    model.services["web"];
    const std::vector<Argv> calls{
        {"network", "create", "demo_a"},
        {"network", "create", "demo_b"},
        {"network", "create", "demo_c"},
        run_of("web", {"--network", "demo_b:ip=10.1.0.2", "--network", "demo_c", "--network", "demo_a"})};
    const auto read = parse_plan(calls, "demo", model);
    CHECK(sentences(read.violations) == "");
    CHECK(networks_of(read.plan.containers[0]) == "demo_a,demo_c demo_b:ip=10.1.0.2 ");
    CHECK(sentences(judge(read.plan, no_grants())) == "");
}

TEST_CASE("a container shares the network of one that runs before it, and of no other") {
    Model model;
    model.services["vpn"];
    model.services["web"].depends_on = {{"vpn", ""}};
    CHECK(of_sharing("demo_vpn_1", model) == "");
    const std::string refused = "is not a container of another service of this file\n";
    for (const char* name : {"demo_web_1", "foreign", "demo_vpn"})
        CHECK(of_sharing(name, model).find(refused) != std::string::npos);
    model.services["web"].depends_on.clear();
    CHECK(of_sharing("demo_vpn_1", model).find(refused) != std::string::npos);
}

TEST_CASE("subnets") {
    CHECK(of_subnets({"172.30.0.0/24", "172.30.1.0/24", "10.0.3.0/24", "192.168.0.0/16", "fd00:1::/64"}) ==
          "");
    CHECK(of_subnets({"172.30.0.0/24", "172.30.0.128/25"}) ==
          "networks: \"172.30.0.128/25\" of demo_1 overlaps that of demo_0; choose another one\n");
    for (const char* subnet : {"8.8.8.0/24", "0.0.0.0/0", "127.0.0.0/24", "169.254.0.0/24", "172.32.0.0/24",
                               "2001:db8::/64", "::/0", "fe80::/64"}) {
        CAPTURE(subnet);
        CHECK(of_subnets({subnet}).find("is not private") != std::string::npos);
    }
    const auto overlaps = [](std::string_view one, std::string_view other) {
        return overlap(*parse_subnet(one), *parse_subnet(other));
    };
    CHECK(overlaps("fd00:0:0:1::/64", "fd00::1:0:0:0:9"));
    CHECK(overlaps("1:2:3:4:5:6:7:8", "1:2::/32"));
    CHECK_FALSE(overlaps("fd00::/64", "fd00:0:0:1::/64"));
    CHECK_FALSE(overlaps("10.0.0.0/24", "10.0.1.0/24"));
    CHECK(of_subnets({"10.0.0.0/8"}).find("is too large") != std::string::npos);
    CHECK(of_subnets({"fd00::/8"}).find("is too large") != std::string::npos);
    CHECK(of_subnets({"172.30.0.0/31"}).find("has no room") != std::string::npos);
    CHECK(of_subnets({"10.0.0.0/16"}).find("overlaps 10.0.2.0/24") != std::string::npos);
    for (const char* text :
         {"", "/", "10.0.0.0/33", "10.0.0/24", "x", "fd00::/129", "10.0.0.0/", "fd00::1::/64",
          "1:2:3:4:5:6:7/64", "fd00:12345::/64", "1:2:3:4:5:6:7::8/64", "fd00:-1::/64", "10.0.0.0.0/24"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_subnet(text));
        const std::vector<Argv> calls{{"network", "create", "--subnet", text, "demo_x"}};
        CHECK(parse_plan(calls, "demo", {}).violations.size() == 1);
    }
}

#include "core/policy.hpp"

#include "recorded_plan.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::test;

namespace {

std::string verdict(const Argv& flags) {
    auto calls = with_default_network(web_run(flags));
    calls.push_back({"volume", "create", "demo_data"});
    auto model = web_model();
    model.services["web"].keys.insert(model.services["web"].keys.end(), {"ipc", "secrets", "shm_size"});
    const auto [plan, violations] = parse_plan(calls, "demo", std::move(model));
    REQUIRE(sentences(violations) == "");
    return sentences(judge(plan, no_grants()));
}

} // namespace

TEST_CASE("places where nothing can be mounted are known before the switch") {
    const auto says = [](const Argv& flags, const std::string& words) {
        const auto said = verdict(flags);
        CAPTURE(said);
        CHECK(said.find(words) != std::string::npos);
    };
    const std::string secret = ":0:0:0400:x";
    says({"--in-memory", "/proc/x" + secret}, "web: secrets: \"/proc/x\" belongs to the kernel");
    says({"--in-memory", "/proc" + secret}, "\"/proc\" belongs to the kernel");
    says({"--in-memory", "/sys/x" + secret}, "\"/sys/x\" belongs to the kernel");
    says({"--volume", "./a:/proc/sys:ro"}, "web: volumes: \"/proc/sys\" belongs to the kernel");
    says({"--tmpfs", "/proc/acpi"}, "web: tmpfs: \"/proc/acpi\" belongs to the kernel");
    says({"--in-memory", "/etc/app" + secret, "--volume", "demo_data:/etc/app/data"},
         "web: volumes: nothing can be mounted at \"/etc/app/data\": \"/etc/app\" is a file");
    CHECK(verdict({"--in-memory", "/etc/app/key" + secret, "--volume", "demo_data:/etc/app", "--volume",
                   "./cpuinfo:/proc/cpuinfo:ro", "--tmpfs", "/process"})
              .empty());
}

TEST_CASE("the size of a shared memory that there is not") {
    CHECK(verdict({"--ipc", "none", "--shm-size", "64m"}) ==
          "web: shm_size stands beside \"ipc: none\", with which there is no shared memory; remove one of "
          "the two\n");
    CHECK(verdict({"--ipc", "none"}).empty());
    CHECK(verdict({"--ipc", "private", "--shm-size", "64m"}).empty());
}

TEST_CASE("two networks or volumes of one name are one where they are alike") {
    auto calls = with_default_network(web_run({}));
    const auto create = [&calls](Argv call) {
        calls.push_back(std::move(call));
        return parse_plan(calls, "demo", web_model()).plan;
    };
    create({"network", "create", "demo_x"});
    create({"volume", "create", "demo_v"});
    create({"volume", "create", "demo_v"});
    const auto alike = create({"network", "create", "demo_x"});
    CHECK(alike.networks.size() == 2); // with the default one
    CHECK(alike.volumes.size() == 1);
    CHECK(sentences(judge(alike, no_grants())).empty());
    const auto differ = create({"network", "create", "--internal", "demo_x"});
    CHECK(sentences(judge(differ, no_grants())) == "networks: \"demo_x\" is the name of two of them, which "
                                                   "have different settings; give one of them another "
                                                   "name\n");
}

TEST_CASE("a service's name begins with any of its characters") {
    for (const std::string name : {"_x", "-x", ".x", "X"}) {
        CAPTURE(name);
        Plan plan;
        plan.project = "demo";
        plan.containers = {{"demo_" + name + "_1", name, {}, "docker.io/library/nginx:1", {}}};
        plan.model.services[name];
        CHECK(sentences(judge(plan, no_grants())).empty());
    }
}

#include "core/policy_nested.hpp"

#include "recorded_plan.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::test;

TEST_CASE("keys within build, deploy, env_file, networks and volumes") {
    for (const auto& [section, path] : std::vector<std::pair<std::string, std::string>>{
             {"services", "build.context"},
             {"services", "build.args.ANY_NAME"},
             {"services", "build.labels.org.example.x"},
             {"services", "deploy.replicas"},
             {"services", "deploy.resources.limits.cpus"},
             {"services", "deploy.resources.reservations.memory"},
             {"services", "deploy.restart_policy.condition"},
             {"services", "deploy.x-own"},
             {"services", "env_file.path"},
             {"services", "env_file.required"},
             {"services", "networks.*"},
             {"services", "networks.*.aliases"},
             {"services", "volumes.bind.propagation"},
             {"services", "volumes.tmpfs.size"},
             {"services", "volumes.x-own"},
             {"networks", "internal"},
             {"networks", "driver=bridge"},
             {"networks", "labels.a.b"},
             {"networks", "external"},
             {"networks", "external.name"},
             {"networks", "x-own.any"},
             {"volumes", "driver=local"},
             {"volumes", "name"},
             {"volumes", "driver_opts.device"},
             {"networks", "driver_opts.com.docker.network.driver.mtu"},
         }) {
        CAPTURE(path);
        CHECK(sentences(judge_nested_keys(std::vector<NestedKey>{{section, "n", path}})) == "");
    }
    const std::string unknown = "is not a key that pgod knows";
    for (const auto& [section, path, said] : std::vector<std::array<std::string, 3>>{
             {"services", "build.ssh", "would reach the host"},
             {"services", "build.network", "would reach the host"},
             {"services", "build.additional_contexts", "outside of the repository"},
             {"services", "build.additional_contexts.x", "outside of the repository"},
             {"services", "build.cache_from", "outside of the repository"},
             {"services", "build.dockerfile_inline", "is ignored"},
             {"services", "build.frobnicate", unknown},
             {"services", "deploy.resources.reservations.devices", "would reach the host's devices"},
             {"services", "deploy.resources.limits.gpu", unknown},
             {"services", "deploy.x-podman", unknown},
             {"services", "env_file.format", "is ignored"},
             {"services", "env_file.frobnicate", unknown},
             {"services", "networks.*.ipv4_address", "is ignored"},
             {"services", "networks.*.x-podman.mac", unknown},
             {"services", "volumes.frobnicate", unknown},
             {"services", "volumes.bind.frobnicate", unknown},
             {"services", "volumes.volume.subpath", "is ignored"},
             {"services", "volumes.x-podman", unknown},
             {"services", "networks.*.driver_opts", "would reach the host"},
             {"networks", "driver=macvlan", "driver: \"macvlan\" is not allowed"},
             {"networks", "driver=host", "driver: \"host\" is not allowed"},
             {"networks", "ipam.config", "is ignored"},
             {"networks", "x-podman", unknown},
             {"networks", "x-podman.interface_name", unknown},
             {"volumes", "driver=rclone", "driver: \"rclone\" is not allowed"},
             {"volumes", "name.x", unknown},
         }) {
        CAPTURE(path);
        const auto sentence = sentences(judge_nested_keys(std::vector<NestedKey>{{section, "n", path}}));
        CHECK_MESSAGE(sentence.find(said) != std::string::npos, sentence);
        CHECK(sentence.find(section == "services" ? "n: " : section + ".n") == 0);
    }
    CHECK(judge_nested_keys(std::vector<NestedKey>(50, {"networks", "n", "a"})).size() == 1);
}

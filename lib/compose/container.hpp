// Containers as `podman ps --format json` shows them, and what is to be thought of one. Pure.
#pragma once

#include "core/vocabulary.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

enum class ContainerHealth { none, starting, healthy, unhealthy };

struct Container {
    std::string id;
    std::string name;
    std::string image;
    std::string image_id;
    std::string state; // podman's word: running, exited, created, paused…
    ContainerHealth health = ContainerHealth::none;
    int exit_code = 0;
    std::int64_t pid = 0;
    std::int64_t created = 0;       // seconds since 1970
    std::int64_t started = 0;       // likewise; the last time
    std::int64_t exited = 0;        // likewise; of any use once it has
    std::string owner;              // label pgod.service; empty: not ours
    std::string deployment;         // label pgod.deployment
    std::string commit;             // label pgod.commit
    std::string service;            // label pgod.compose-service
    std::vector<std::string> ports; // "0.0.0.0:5007->80/tcp"
    std::vector<std::uint16_t> host_ports;
    std::vector<std::string> networks; // that podman makes; names
};

std::vector<Container> parse_containers(std::string_view json);
std::vector<Container> owned_by(std::span<const Container> containers, std::string_view service);
const Container* find_container(std::span<const Container> containers, std::string_view name) noexcept;

// What a container of a deployment should be.
struct ExpectedContainer {
    std::string name;
    std::string service;    // compose service
    std::string id;         // empty: any
    std::string deployment; // value of the label; empty: any
    bool may_end = false;   // an exit with 0 is good: it is meant to end by itself
    bool ended = false;     // it has done so before: that it was removed since is good as well
};

enum class Verdict { good, waiting, bad, missing };
struct Judgement {
    Verdict verdict = Verdict::good;
    std::string problem; // "web exited with status 1"; empty when good
};
Judgement judge_container(const ExpectedContainer& expected, std::span<const Container> seen);
Health health_of(std::span<const ExpectedContainer> expected, std::span<const Container> seen);

} // namespace pgod::compose

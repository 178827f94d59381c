// Keys within the settings of the merged model: those of build, deploy, networks and long-form volumes of a
// service, and of each network and volume at the top. podman-compose 1.0.3 ignores most of them and a newer
// one honours them, so they are judged by a list as the keys above them are. Pure.
#pragma once

#include "core/plan.hpp"

#include <span>
#include <string>
#include <vector>

namespace pgod {

struct NestedKey {
    std::string section; // "services", "networks" or "volumes"
    std::string name;    // of the service, network or volume
    std::string path;    // "deploy.resources.limits.cpus"; "driver=bridge": a driver with its value
    bool operator==(const NestedKey&) const = default;
};

std::vector<Violation> judge_nested_keys(std::span<const NestedKey> keys);

} // namespace pgod

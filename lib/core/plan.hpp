// The plan: the podman calls that podman-compose asked for, as structure, and its own merged model. Parsing
// an argv into this is the first half of the policy: a call, a flag or a shape that is not known here cannot
// be represented, and so cannot be carried out. What was judged is what is run: the worker builds the argv
// anew from this structure, never from the recorded text.
#pragma once

#include "base/result.hpp"
#include "core/reasons.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

using Argv = std::vector<std::string>; // argv[0], podman's own name, left out

inline constexpr std::size_t max_plan_calls = 2000;
inline constexpr std::size_t max_call_bytes = 262144;
inline constexpr std::size_t max_containers = 100;
inline constexpr std::size_t max_container_options = 1000;

// One flag of a podman call under its canonical long name ("--publish" for -p), with its value if it takes
// one.
struct PlanOption {
    std::string flag;
    std::string value; // empty: the flag takes none
    bool operator==(const PlanOption&) const = default;
};

std::string podman_argument(const PlanOption& option); // "--flag=value" or "--flag"; always one argument

// The options leave out what the worker says itself: --name, --detach, --pull, and those of podman-compose's
// own labels that change with the stage (working_dir, config_files, config-hash, version). Paths of binds
// (core/mount.hpp) and --env-file are absolute. --mount is written as --volume or --tmpfs.
struct PlannedContainer {
    std::string name;
    std::string service; // the compose service, from podman-compose's own label
    std::vector<PlanOption> options;
    std::string image;
    std::vector<std::string> command;
    bool operator==(const PlannedContainer&) const = default;
};

struct PlannedBuild {
    std::string image;               // the tag it makes
    std::string context;             // absolute, in the stage
    std::string file;                // absolute, in the stage
    std::vector<PlanOption> options; // without --tag and --file
    bool operator==(const PlannedBuild&) const = default;
};

struct PlannedVolume {
    std::string name;
    std::vector<std::string> labels;
    bool operator==(const PlannedVolume&) const = default;
};

struct PlannedNetwork {
    std::string name;
    std::vector<std::string> labels;
    bool internal = false;
    std::vector<PlanOption> options = {}; // of its subnets, and --ipv6
    bool operator==(const PlannedNetwork&) const = default;
};

// What podman-compose's merged model says beyond the calls.
struct ModelService {
    std::vector<std::string> keys;                 // every key of the service, also the ignored ones
    std::map<std::string, std::string> depends_on; // compose service → condition ("" when none is given)
    std::string restart;
    bool builds = false;
    std::string pull = {}; // always, newer, missing, never; "" when none is given
    bool operator==(const ModelService&) const = default;
};
struct Model {
    std::vector<std::string> keys; // top level
    std::map<std::string, ModelService> services;
    std::map<std::string, std::string> settings; // of `x-pgo`, without urls
    std::map<std::string, std::string> urls;     // …and those, as they are written: core/url_claims.hpp
    bool recreates_only_changed() const;         // x-pgo: {strategy: changed}
    bool operator==(const Model&) const = default;
};

struct Plan {
    std::string project;
    std::vector<PlannedBuild> builds;
    std::vector<PlannedVolume> volumes;
    std::vector<PlannedNetwork> networks;
    std::vector<PlannedContainer> containers; // in the order in which they are started
    Model model;
    std::vector<std::string> files; // relative to the stage: every file that podman-compose opened there
    bool operator==(const Plan&) const = default;
};

struct PlanOrViolations {
    Plan plan; // what could be represented; judge() it too, so that a user sees everything at once
    std::vector<Violation> violations; // not empty: do not carry the plan out
};

// Turns the translator's calls into a plan, which is canonical (plan_canonical.hpp). Relative paths begin at
// the compose file's directory, as podman-compose's own label names it. Violations: at most
// max_violations (findings.hpp).
PlanOrViolations parse_plan(std::span<const Argv> calls, const std::string& project, Model model);

} // namespace pgod

// Need: whether a commit needs its containers made anew. Pure. A container is touched only for a reason that
// can be said in one sentence: the plan changed, a file that the plan rests on, an image, or what the
// containers show.
#pragma once

#include "compose/container.hpp"
#include "compose/record.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

struct NewVersion {
    const std::string& stage; // absolute
    const Plan& plan;
    const std::map<std::string, std::string>& images; // image as the plan says it → id
    const std::vector<std::string>& changed;          // paths that differ from the running release, sorted
    std::map<std::string, std::string> secrets = {};  // container → the variable whose secret value changed
};

// The first reason found, or nullopt: nothing but the work tree has to follow.
std::optional<std::string> reason_to_deploy(const Record* running, const NewVersion& next,
                                            std::span<const Container> seen);

// With x-pgo: {strategy: changed}: why a container has to be made anew, by its name, in the plan's order;
// what is not in it goes on running. A container needs it for its own argv, image or files, for what it
// shows, and when it shares the network of one that does.
struct Renewal {
    std::string container;
    std::string reason; // "the image of web changed"
    bool operator==(const Renewal&) const = default;
};
std::vector<Renewal> renewals(const Record& running, const NewVersion& next, std::span<const Container> seen);

// The whole of it, by the strategy that the new version asks for; nullopt: no container is touched.
struct Need {
    std::string reason;              // or reasons, "; " between them
    std::set<std::string> untouched; // containers, by name, that go on running
};
std::optional<Need> need_of(const Record* running, const NewVersion& next, std::span<const Container> seen);

bool uses_network(const PlannedContainer& container, std::string_view network);
// It loses that network when the other one is recreated or started again.
bool shares_network_of(const PlannedContainer& container, std::string_view name);

std::set<std::string> names_of_good(const Record& running, std::span<const Container> seen);

// Files that containers get by their content, not by a directory that follows the commit: what podman-compose
// opened, env files, and files that are mounted by themselves. Relative to the stage.
std::set<std::string> files_of_plan(const Plan& plan, std::string_view stage);
// Every bind source in the stage, relative; "" for the stage itself.
std::set<std::string> bind_sources(const Plan& plan, std::string_view stage);

// `path` relative to `directory`, "" for itself; nullopt when it is elsewhere.
std::optional<std::string> path_beneath(std::string_view path, std::string_view directory);

} // namespace pgod::compose

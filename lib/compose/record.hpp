// Record: what a deployment left running, as kept on disk. It holds the whole judged plan and the image ids,
// so that the old version can be taken down, compared with and brought back without its repository, its
// registry or podman-compose.
#pragma once

#include "base/result.hpp"
#include "compose/container.hpp"
#include "core/plan.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct RecordedContainer {
    std::string name;
    std::string id;
    bool ended = false;           // with 0 by the time it was verified: it is one that is meant to end
    std::uint64_t deployment = 0; // that made it: an older one, where this one left it alone
    bool just_ended = false;      // with 0, too short a time ago to say who ended it
    bool operator==(const RecordedContainer&) const = default;
};

inline constexpr std::size_t max_notes = 20; // the log has all of them

struct Record {
    std::string commit;
    std::uint64_t deployment = 0;
    std::string compose_file;                  // relative to the stage
    Plan plan;                                 // with the stage's paths
    std::map<std::string, std::string> images; // image as the plan says it → id
    std::vector<RecordedContainer> containers; // empty while the switch is not through
    std::vector<std::string> without_dns = {}; // networks, see networks_without_dns()
    std::vector<std::string> notes = {};       // sentences about the commit's files, at most max_notes
    bool operator==(const Record&) const = default;
};

std::string to_json(const Record& record);
Result<Record> record_from_json(std::string_view json);

// What its containers should be: those that were recorded, once they are. An exit with 0 is good only of one
// that had ended when it was verified or whose end others wait for: any other was stopped, by whomever.
std::vector<ExpectedContainer> expected_containers(const Record& record);

// What is wrong with a network of `without_dns`.
std::string without_names(const std::string& network);

// The id of the image that the container was made of, "" when none was recorded.
std::string image_of(const Record& record, const PlannedContainer& container);

// The value of the container's option, "" when it is not given.
std::string option_of(const PlannedContainer& container, std::string_view flag);
bool restarts(
    const PlannedContainer& container); // it has a restart policy under which an exit of 0 is no end

} // namespace pgod::compose

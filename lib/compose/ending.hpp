// Ending: whether a container that exited with 0 ended by itself, which is good of one without a restart
// policy, or was stopped by somebody, which is not. From podman 4.9 on, the container itself tells
// (`StoppedByUser`), but only when somebody stopped it: a container without it, or podman 4.3, says nothing.
// Events tell of both. `podman stop` and `kill` leave an event of that name. Where podman's own clean-up
// after the container was quicker, podman 4.3 leaves a second `cleanup` right behind the first, and podman 5
// nothing.
#pragma once

#include "compose/podman.hpp"
#include "compose/record.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct ContainerEvent {
    std::string container; // id
    std::string what;      // podman's word: start, kill, died, cleanup…
    std::int64_t at = 0;   // seconds since 1970
    int exit_code = 0;     // of `died`
};

std::vector<ContainerEvent> parse_events(std::string_view json); // one object a line
// Judged by what follows its last start. Without any event of it: it ended by itself.
bool was_stopped(std::span<const ContainerEvent> events, std::string_view container);

// Of each container in the answer of `podman inspect`, by its id: does it say that somebody stopped it?
std::map<std::string, bool> stopped_by_user(std::string_view json);

// For one that is gone: it ended with 0, and was removed so much later that nobody removed it to end it.
bool was_removed_after_its_end(std::span<const ContainerEvent> events, std::string_view container);

// It ended with 0. podman calls it "stopped" until its clean-up is done, and then "exited".
bool has_ended_well(const Container& container);

// Until some seconds after its end, events of it may be to come: that nobody stopped it is not believed yet.
bool is_too_early(std::int64_t exited, std::int64_t now);

// Before this host started. Reads /proc, so asked only of what has ended; false where it does not tell.
bool is_before_boot(std::int64_t time);

// Notes in the record which of its containers ended by themselves since it was written, and which have just
// ended; true: there is something to write down. Asks podman only when one exited with 0 or is gone, has no
// restart policy and is not noted yet. One of which podman does not answer counts as just ended.
bool note_endings(const Podman& podman, Record& record, std::span<const Container> seen);

} // namespace pgod::compose

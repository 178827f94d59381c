// Heal: containers of the record that ended though they should not have, were removed or replaced are
// started, or made again from the record: its plan, its image ids, its copy of the files. Needs neither git
// nor a registry nor podman-compose. A container that is as it should be is never touched, nor is one of
// anybody else.
#pragma once

#include "compose/job.hpp"
#include "compose/record.hpp"

#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

enum class Remedy {
    note,    // made from this record, but its id was not written down before a crash
    start,   // it is there and does not run
    unpause, // …because somebody froze it
    make,    // it is missing, or another one has its name
};

struct Fault {
    std::size_t planned = 0; // index into the plan's containers
    Remedy remedy = Remedy::make;
    std::string id; // of the container that is there; empty: none
    std::string problem;
};

// Of `owned`, the service's containers. Pure. One that runs but is unhealthy is none: a restart is the
// restart policy's affair. One that ended well and was removed since is none either.
std::vector<Fault> faults_of(const Record& record, std::span<const Container> owned);

JobResult heal(const Work& work);

} // namespace pgod::compose

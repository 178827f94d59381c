// Drift: what the containers show between commits, and what is done about it. Pure. At each poll that deploys
// nothing the service asks for a survey; containers that ended, were removed or replaced are healed, at most
// `most_healings` times within `healing_window`. After that the service is degraded and left alone until a
// deployment or a command.
#pragma once

#include "core/durable.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace pgod::reconcile {

inline constexpr std::size_t most_healings = 3;
inline constexpr std::chrono::minutes healing_window{10};

struct Drift {
    bool asked = false;         // a survey is under way, and nothing that would make it stale began since
    std::string problem;        // of the containers, one sentence; empty: they are as recorded
    std::vector<Time> healings; // begun within the window
    bool given_up = false;
    bool accident = false; // as the last survey saw it
};

// Event: what a survey saw of one service.
struct Surveyed {
    std::string running; // the commit of the record
    Health health = Health::unknown;
    bool lost = false; // containers of the record ended, are missing or were replaced, or a deployment was
                       // cut off: healing can mend it
    bool accident = false;    // the end of the host or of a worker did it, and not somebody's wish
    std::string problem = {}; // "web exited with status 137", or why podman does not answer
    bool busy = false; // a worker was changing something: nothing is known, and the next poll asks again
};

struct DriftAnswer {
    bool heal = false;
    bool problem = false;
    std::string said; // a line for the log; empty: nothing new
};

// `wanted`: the service is meant to run and may be healed.
DriftAnswer answer_survey(Drift& drift, const Surveyed& seen, bool wanted, Time now);

// How a healing ended; `problem` is empty when it went well.
DriftAnswer answer_healing(Drift& drift, const std::string& problem);

} // namespace pgod::reconcile

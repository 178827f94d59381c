// Verify: "deployed" is proven by looking. Every container of the plan must run (or have exited with 0 under
// no restart policy), stay the same process for the settling time, and pass its healthcheck, which is run
// here because rootless podman without systemd never runs it by itself.
#pragma once

#include "compose/job.hpp"
#include "compose/record.hpp"

#include <chrono>

namespace pgod::compose {

struct VerifyLimits {
    std::chrono::milliseconds settling{2'000};
    std::chrono::milliseconds start_timeout{60'000}; // until every healthcheck passed
};

inline VerifyLimits limits_of(const Job& job) {
    VerifyLimits limits;
    limits.start_timeout = job.start_timeout;
    return limits;
}

// Code::permanent names the compose service and what it did; Code::timeout a healthcheck that did not pass.
// What had ended well by then is noted in the record.
Status verify(const Work& work, Record& record, const VerifyLimits& limits);

// The last lines of each container that is not as it should be, and what its healthcheck said, before it
// is removed.
void show_failures(const Work& work, const Record& record);

} // namespace pgod::compose

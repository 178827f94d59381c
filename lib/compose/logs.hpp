// `logs [-f] [-t] [--tail N] [--since T] [SERVICE…]`: podman's logs of the service's containers. One
// container's go from podman straight to the client; those of several get "SERVICE | " before each line. A
// client that is slow is waited for, and one that leaves ends everything: podman dies with this process.
#pragma once

#include "compose/job.hpp"

#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

struct LogOptions {
    bool follow = false;
    bool timestamps = false;
    std::string tail;  // "" or a number
    std::string since; // "" or a time or duration as podman takes it
    std::vector<std::string> services;
    bool operator==(const LogOptions&) const = default;
};
Result<LogOptions> parse_log_options(std::span<const std::string> args); // Code::invalid

JobResult show_logs(const Work& work);

} // namespace pgod::compose

// What pgod-metrics knows of pgod, and its text for Prometheus (exposition format 0.0.4). Pure.
#pragma once

#include "ipc/metrics_messages.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

struct Snapshot {
    ipc::HostNumbers host;
    std::vector<ipc::ServiceNumbers> services;
};

std::string metrics_text(const Snapshot& snapshot);

} // namespace pgod::daemon

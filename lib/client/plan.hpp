// What one run of pgoctl is to do, made from its command line and its environment. Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "client/host_key.hpp"
#include "client/options.hpp"
#include "core/command.hpp"

#include <optional>
#include <string>

namespace pgod::client {

struct Plan {
    Options options;
    Target target; // without a host: pgod of this host, over its control socket
    std::string service;
    std::string request;
    std::string user;
    HostKeyPolicy host_key;
    bool ends_with_client = true;
    bool takes_input = false;
    bool terminal = false;
};

// nullopt: not set, or empty.
std::optional<std::string> environment(const std::string& name);

// Code::invalid: one sentence that says what to type.
Result<Plan> plan_of(Options options);

// What to type to hear more of the service.
std::string status_command(const Plan& plan);

} // namespace pgod::client

// What one run of pgoctl is to do, made from its command line and its environment. Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "client/host_key.hpp"
#include "client/identity.hpp"
#include "client/options.hpp"
#include "core/command.hpp"
#include "core/hosts.hpp"
#include "core/operation.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgod::client {

struct Plan {
    Options options;
    std::uint16_t port = default_port;
    std::string identity; // of pgoctl's own file, for this host; the options and PGOCTL_ID go before it
    Target target;        // without a host: pgod of this host, over its control socket
    std::string service;
    const Operation* operation = nullptr; // null: pgod is to say that there is none of that name
    std::string request;
    std::string user;
    HostKeyPolicy host_key;
    bool json = false; // asked for, before or after the operation
    bool ends_with_client = true;
    bool takes_input = false;
    bool terminal = false;
    bool progress = false; // what it waits for takes its time, and a person looks on
};

// nullopt: not set, or empty.
std::optional<std::string> environment(const std::string& name);

// What one host is to do. Code::invalid: one sentence that says what to type.
Result<Plan> plan_of(const Options& options, Target target, const HostBook& book);

// Where pgoctl's own file is; nullopt: there is no place for it.
std::optional<std::string> host_book_path();

// Of this plan's host, in the order in which they are tried; Code::invalid says what to type.
Result<std::vector<IdentitySource>> identities_of(const Plan& plan);

// What to type to hear more of the service.
std::string status_command(const Plan& plan);

} // namespace pgod::client

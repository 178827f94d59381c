// What `whoami` says of a key: its fingerprint, its name and what it may do, service by service. Pure.
#pragma once

#include "core/operation.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

struct Grant {
    std::string service;
    std::string key_name; // in the service's repository, or among the admins' keys
    std::vector<Op> may;  // in the order of the table
};

struct WhoAmI {
    std::string fingerprint;
    bool admin = false;
    std::vector<Grant> grants;
};

std::string whoami_text(const WhoAmI& found);
std::string whoami_json(const WhoAmI& found);

} // namespace pgod::daemon

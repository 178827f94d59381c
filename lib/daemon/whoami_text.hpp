// What `whoami` says of a key, or of a user of this host: its fingerprint or uid, its name and what it may
// do, service by service. Pure.
#pragma once

#include "core/operation.hpp"

#include <string>
#include <vector>

namespace pgod::daemon {

struct Grant {
    std::string service;
    std::string key_name; // in the service's repository, or among the admins' keys; or the user
    std::vector<Op> may;  // in the order of the table
};

struct WhoAmI {
    std::string caller;   // SHA256:…, or uid 1001 (miek)
    bool is_user = false; // of this host, at the control socket
    bool admin = false;
    std::vector<Grant> grants;
};

std::string whoami_text(const WhoAmI& found);
std::string whoami_json(const WhoAmI& found);

} // namespace pgod::daemon

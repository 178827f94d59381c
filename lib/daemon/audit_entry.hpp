// One line of the audit log: who asked for what, from where, and what became of it. Pure. What a client wrote
// is shortened, and the arguments of a command inside a container are counted, not repeated: they may be
// secrets.
#pragma once

#include "core/durable.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace pgod::daemon {

struct AuditEntry {
    reconcile::Time at{}; // when it came
    std::string peer;     // ADDRESS:PORT
    std::string fingerprint;
    std::string name; // of the key, in the service's repository or among the admins
    std::string service;
    std::string operation; // empty: what was asked for is no operation
    std::vector<std::string> args;
    int exit_status = 0;
    bool left = false; // its client left before the end; there is no status
    std::chrono::milliseconds took{0};
};

// One JSON object and a newline; control characters are escaped by JSON itself.
std::string audit_line(const AuditEntry& entry);

// What `service` in a line looks like, for those who search.
std::string audit_mark_of(const std::string& service);

} // namespace pgod::daemon

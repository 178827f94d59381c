// Whether the key that a server showed is the one that it should have. Never skipped: a pin, a known_hosts
// line, or somebody's consent. Runs in pgoctl.
#pragma once

#include "base/result.hpp"
#include "ssh/client_session.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgod::client {

struct HostKeyPolicy {
    std::string host;
    std::uint16_t port = 0;
    std::string pin;         // SHA256:…; if set it alone decides
    std::string known_hosts; // empty: nothing is known, and nothing can be remembered
    bool accept_new = false;
};

// An error is a sentence that shows the fingerprints: Code::permanent where it is another key than the one
// that is known, beside which the server may have that as well; else Code::denied.
Status judge_host_key(const HostKeyPolicy& policy, const ssh::ServerKey& server);

} // namespace pgod::client

// sync(): one look at upstream as the service's user. Asks for the branch's tip, fetches only when it is not
// the one we have, and reads the keys of a tip that the caller does not know: from the local repository when
// upstream is out of reach. A force-push, a deleted branch and a damaged local repository are normal events.
#pragma once

#include "core/sync.hpp"
#include "git/source.hpp"

#include <chrono>
#include <string>

namespace pgod::git {

struct SyncRequest {
    std::string directory; // the service's, absolute, owned by the user we are
    Source source;
    std::string known; // the tip whose keys the caller has; empty: none, look at the local repository
    bool only_look = false; // ask for the tip, and open nothing
    std::chrono::steady_clock::time_point network_deadline = std::chrono::steady_clock::time_point::max();
};

SyncResult sync(const SyncRequest& request);

} // namespace pgod::git

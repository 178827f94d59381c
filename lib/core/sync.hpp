// What a repository job tells the supervisor: small values, already judged by the job that ran as the user.
#pragma once

#include "base/result.hpp"
#include "core/public_key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgod {

// The end of a sync. An unreachable upstream still yields the keys and the tip that the local repository
// holds, beside the error: an outage takes nobody's key away.
struct SyncResult {
    std::string tip;                   // 40 hex digits; empty: nothing was ever fetched
    bool moved = false;                // the tip is not the one the caller knew
    bool rewritten = false;            // upstream was force-pushed: the known tip is no ancestor
    bool only_looked = false;          // at upstream: nothing of the local repository was opened
    std::vector<PublicKey> keys;       // of the tip's ssh/*.pub, when it moved
    std::vector<std::string> warnings; // one sentence each
    std::optional<Error> error;
};

// A commit that somebody named beside the one that is exported.
struct NamedCommit {
    std::string digits;  // as it was asked for
    std::string commit;  // 40 hex digits; empty when it is refused
    bool serves = false; // it is `serving`, or an ancestor of that
    std::string refused; // one sentence; empty: it is what is exported, or an ancestor of that
    bool operator==(const NamedCommit&) const = default;
};

struct ExportResult {
    std::string commit;                // 40 hex digits: what was exported
    std::vector<NamedCommit> named;    // one for each that was asked for, in order
    std::vector<std::string> warnings; // submodules and LFS pointers; a name that is refused is an error
    std::optional<Error> error;
};

} // namespace pgod

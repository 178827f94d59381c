// Survey: what the containers of all services of one user show, with one `podman ps`. Runs as that user
// between commits. Waits for nobody; the one thing that it changes is the note, in a record, of containers
// that have ended by themselves since.
#pragma once

#include "compose/podman.hpp"
#include "core/vocabulary.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pgod::compose {

struct Seen {
    std::string service;
    bool busy = false;   // a worker is at it: nothing else is said
    bool failed = false; // podman or the service's directory did not answer; `problem` says why
    std::string running_commit;
    Health health = Health::unknown;
    bool lost = false;     // heal() can mend what is wrong
    bool accident = false; // and the end of the host or of a worker did it, not somebody's wish
    std::string problem;   // one sentence; empty: all is as recorded
};

// Calls `tell` once for each service. `services` is the directory that holds the services' own.
void survey(const Podman& podman, const std::string& services, const std::vector<std::string>& names,
            const std::function<void(Seen)>& tell);

} // namespace pgod::compose

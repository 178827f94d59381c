// pgod-relay: the users of this host, on their way to pgod. Started by pgod; what it does is in
// daemon/relay_role.hpp.
#include "core/exit_status.hpp"
#include "daemon/relay_role.hpp"

#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
    const auto as = pgod::daemon::run_as(argc, argv);
    if (!as) {
        std::fputs("pgod-relay: is started by pgod, for the users of this host\n", stderr);
        return pgod::exit_status::usage;
    }
    ::_exit(pgod::daemon::run_relay_role(*as)); // as pgod-ssh
}

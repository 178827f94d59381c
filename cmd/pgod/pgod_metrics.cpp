// pgod-metrics: HTTP for Prometheus. Started by pgod; what it does is in daemon/metrics_role.hpp.
#include "core/exit_status.hpp"
#include "daemon/metrics_role.hpp"

#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
    const auto as = pgod::daemon::run_as(argc, argv);
    if (!as) {
        std::fputs("pgod-metrics: is started by pgod, when its configuration says where to listen\n", stderr);
        return pgod::exit_status::usage;
    }
    ::_exit(pgod::daemon::run_metrics_role(*as));
}

// pgod-metrics: HTTP for Prometheus. Started by pgod; what it does is in daemon/metrics_role.hpp.
#include "core/exit_status.hpp"
#include "daemon/metrics_role.hpp"

#include <unistd.h>

#include <cstdio>
#include <string_view>

// [--user USER --empty DIRECTORY], as confinement_arguments() gives them
int main(int argc, char** argv) {
    const bool confined =
        argc == 5 && std::string_view(argv[1]) == "--user" && std::string_view(argv[3]) == "--empty";
    if (argc != 1 && !confined) {
        std::fputs("pgod-metrics: is started by pgod, when its configuration says where to listen\n", stderr);
        return pgod::exit_status::usage;
    }
    ::_exit(confined ? pgod::daemon::run_metrics_role(argv[2], argv[4])
                     : pgod::daemon::run_metrics_role("", ""));
}

// pgod-work: started by pgod as the service's user with its order as descriptor 3, never by hand. Its
// argument, the service's name, is for ps(1) only. See daemon/work_role.hpp.
#include "daemon/work_role.hpp"

#include <fcntl.h>

#include <cstdio>

int main() {
    if (::fcntl(pgod::daemon::work_order_descriptor, F_GET_SEALS) <= 0 ||
        ::fcntl(pgod::daemon::work_report_descriptor, F_GETFL) < 0) {
        std::fputs("pgod-work: is started by pgod, which gives it its work\n", stderr);
        return 64;
    }
    return pgod::daemon::run_work_role();
}

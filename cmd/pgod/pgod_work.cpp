// pgod-work: started by pgod as the service's user with its channel as descriptor 3, never by hand. Its
// argument, the service's name, is for ps(1) only. See daemon/work_role.hpp.
#include "daemon/work_role.hpp"

#include <sys/socket.h>

#include <cstdio>

int main() {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        std::fputs("pgod-work: is started by pgod, which gives it its work\n", stderr);
        return 64;
    }
    return pgod::daemon::run_work_role();
}

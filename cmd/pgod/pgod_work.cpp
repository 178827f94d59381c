// pgod-work: started by pgod as the service's user with its order as descriptor 3. Its argument, the
// service's name, is for ps(1) only. See daemon/work_role.hpp. By hand there is only `pgod-work --read
// DIRECTORY [PROJECT]`, for tests and for whoever asks why a file means what it means:
// compose/read_directory.hpp.
#include "daemon/work_role.hpp"

#include <fcntl.h>

#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() >= 2 && words[1] == "--read") {
        if (words.size() == 3 || words.size() == 4)
            return pgod::daemon::read_directory(words[2], words.size() == 4 ? words[3] : std::string());
        std::fputs("pgod-work: write pgod-work --read DIRECTORY [PROJECT]\n", stderr);
        return 64;
    }
    if (::fcntl(pgod::daemon::work_order_descriptor, F_GET_SEALS) <= 0 ||
        ::fcntl(pgod::daemon::work_report_descriptor, F_GETFL) < 0) {
        std::fputs("pgod-work: is started by pgod, which gives it its work\n", stderr);
        return 64;
    }
    return pgod::daemon::run_work_role();
}

// The crash points of the worker that test_crash.py runs; see compose/crash_point.hpp. `crash-at` holds
// "NAME HOW COUNT": at the COUNT-th passage of the point NAME, with HOW
//   kill   the worker kills itself
//   stop   the worker writes its pid to `crash-reached` and stops: the test kills pgod, then it
// The file is removed first, so that whoever takes over passes.
#include "compose/crash_point.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>

namespace pgod::compose {

namespace {

std::string directory; // set once, before anything else of the job begins

} // namespace

void crash_points_of(std::string_view service_directory) {
    directory = service_directory;
}

void crash_point(std::string_view name) {
    static std::atomic<int> passages = 0;
    std::string wanted;
    std::string how;
    int count = 0;
    if (!(std::ifstream(directory + "/crash-at") >> wanted >> how >> count) || wanted != name)
        return;
    if (++passages != count || ::unlink((directory + "/crash-at").c_str()) != 0)
        return;
    std::ofstream(directory + "/crash-reached") << ::getpid() << std::endl;
    (void)::kill(::getpid(), how == "stop" ? SIGSTOP : SIGKILL);
}

} // namespace pgod::compose

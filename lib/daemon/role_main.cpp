#include "daemon/role_main.hpp"

#include "core/exit_status.hpp"
#include "os/log.hpp"

#include <exception>

namespace pgod::daemon {

std::optional<RunAs> run_as(int argc, char** argv) {
    if (argc == 1)
        return RunAs{};
    if (argc != 5 || std::string_view(argv[1]) != "--user" || std::string_view(argv[3]) != "--empty")
        return std::nullopt;
    return RunAs{argv[2], argv[4]};
}

int run_role(std::string_view program, bool debug, const std::function<Status()>& serve) {
    os::start_log(program, debug);
    try {
        if (auto served = serve(); !served) {
            os::log_error("{}", served.error().message);
            return exit_status::internal;
        }
    } catch (const std::exception& bug) {
        os::log_error("ended by an exception: {}", bug.what());
        return exit_status::internal;
    }
    return exit_status::done;
}

} // namespace pgod::daemon

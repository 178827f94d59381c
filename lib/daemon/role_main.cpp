#include "daemon/role_main.hpp"

#include "core/exit_status.hpp"
#include "os/log.hpp"

#include <exception>

namespace pgod::daemon {

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

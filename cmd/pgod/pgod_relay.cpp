// pgod-relay: the users of this host, on their way to pgod. Started by pgod; what it does is in
// daemon/relay_role.hpp.
#include "core/exit_status.hpp"
#include "daemon/relay_role.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

int main(int argc, char** argv) {
    CLI::App app("Stands between the users of this host and pgod, which starts it.", "pgod-relay");
    pgod::daemon::RelayRole role;
    auto* user = app.add_option("--user", role.user, "the user to become; needs root");
    auto* empty =
        app.add_option("--empty", role.empty_directory, "the empty directory to make the root directory");
    user->needs(empty);
    empty->needs(user);
    app.add_flag("-d,--debug", role.debug, "log more");
    app.set_version_flag("--version", "pgod-relay " PGOD_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? pgod::exit_status::done : pgod::exit_status::usage;
    }
    ::_exit(pgod::daemon::run_relay_role(role)); // as pgod-ssh
}

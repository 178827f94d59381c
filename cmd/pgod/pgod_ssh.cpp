// pgod-ssh: the SSH endpoint. Started by pgod; what it does is in daemon/ssh_role.hpp.
#include "core/exit_status.hpp"
#include "daemon/ssh_role.hpp"

#include <CLI/CLI.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char** argv) {
    CLI::App app("The SSH endpoint of pgod, which starts it.", "pgod-ssh");
    pgod::daemon::SshRole role;
    bool make_host_key = false;
    bool fingerprint = false;
    auto* user = app.add_option("--user", role.user, "the user to become; needs root");
    auto* empty =
        app.add_option("--empty", role.empty_directory, "the empty directory to make the root directory");
    user->needs(empty);
    empty->needs(user);
    app.add_flag("-d,--debug", role.debug, "log more");
    app.add_flag("--make-host-key", make_host_key, "print a new ed25519 private key and exit");
    app.add_flag("--fingerprint", fingerprint, "print the fingerprint of the private key on standard input");
    app.set_version_flag("--version", "pgod-ssh " PGOD_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? pgod::exit_status::done : pgod::exit_status::usage;
    }
    if (make_host_key || fingerprint) { // private keys pass through: nobody traces it, and it leaves no core
        const rlimit no_core{0, 0};
        (void)::setrlimit(RLIMIT_CORE, &no_core);
        (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    if (make_host_key)
        return pgod::daemon::print_host_key();
    if (fingerprint)
        return pgod::daemon::print_fingerprint();
    // No exit handlers: nothing is left to tidy up, and a leak checker cannot look at a process that is not
    // dumpable.
    ::_exit(pgod::daemon::run_ssh_role(role));
}

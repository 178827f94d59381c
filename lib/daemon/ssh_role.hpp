// The whole of pgod-ssh: confines itself, takes its one order from the supervisor on descriptor 3, warms up
// and listens. Started as root it first gives everything up, before a byte of anybody's is read: an empty
// root directory, user pgod, no capability, no way to gain one. Started as an ordinary user it stays that
// user, and does the rest all the same.
#pragma once

#include <string>

namespace pgod::daemon {

struct SshRole {
    std::string user;            // whom to become; empty: stay who we are, which must not be root
    std::string empty_directory; // the root directory from then on: root's own, empty, nobody else may write
    bool debug = false;
};

// The exit status of the process; the reason of a failure is in the log.
int run_ssh_role(const SshRole& role);

// Prints a new private key in OpenSSH format: ed25519, or where one is given on standard input the type that
// this is not.
int print_host_key();

// Reads a private key from standard input and prints its fingerprint.
int print_fingerprint();

} // namespace pgod::daemon

// Both ends of the control socket, by which root reaches pgod of this host without SSH, and of the one beside
// it for everybody else: SOCK_SEQPACKET, so that each frame is one of os/channel.hpp. Who connected is asked
// of the kernel.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <sys/types.h>

#include <optional>
#include <string>

namespace pgod::os {

// Of a pgod that runs as root; of one that an ordinary user runs, beneath XDG_RUNTIME_DIR or, where that is
// not set, in its state directory.
std::string control_socket_of_host();
std::string control_socket_of_user(const std::string& runtime_directory);

// Beside a control socket, for the users of services.
std::string users_socket_beside(const std::string& control_socket);

// Makes the directory of `path` if it is missing, and replaces a socket that nobody listens on any more.
// Non-blocking. Code::invalid: another pgod listens there.
Result<Fd> listen_for_users(const std::string& path, mode_t mode);

// nullopt: nobody waits.
Result<std::optional<Fd>> accept_user(int listener);

// Code::gone: there is no such socket, or nobody listens.
Result<Fd> connect_to_control(const std::string& path);

// Whose process it is at the other end: as it was when it connected, or listened.
Result<uid_t> peer_of(int fd);

} // namespace pgod::os

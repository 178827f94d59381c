// The client's side of pgod-ssh, as the kernel has it: what a connection's socket is set to, and the name of
// the other end. Runs in the listener. Reads no byte of a client, and cannot fail.
#pragma once

#include <sys/socket.h>

#include <string>

namespace pgod::daemon {

// Sends small packets at once, and notices within five minutes that a client has vanished. What the socket
// accepts inherits this (tcp(7) is silent, Linux does so).
void tune_listener(int socket) noexcept;

// "192.0.2.1:4711" or "[2001:db8::1]:4711".
std::string peer_text(const sockaddr_storage& address);

} // namespace pgod::daemon

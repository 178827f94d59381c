// What systemd and pgod say to each other: sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3). The
// protocols are a datagram and three environment variables, declared stable in those pages, and spoken here
// without libsystemd, whose compression libraries a root daemon would otherwise load for them.
//
// Runs in the supervisor, once, at its start. Without a service manager everything here does nothing.
#pragma once

#include "base/fd.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::os {

class ServiceManager {
  public:
    // Reads and removes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    static ServiceManager from_environment();

    void ready(std::string_view status) const; // READY=1: what was asked for at the start is there
    void stopping() const;
    void alive() const; // before each watchdog interval is over

    // How often the manager wants to hear alive(); nullopt: it does not watch.
    std::optional<std::chrono::milliseconds> watchdog() const noexcept { return watchdog_; }

  private:
    void send(std::string_view message) const;

    std::string socket_; // a path, or "@name" in the abstract name space; empty: nobody listens
    std::optional<std::chrono::milliseconds> watchdog_;
};

// The listening stream sockets that a socket unit passed, close-on-exec and non-blocking; at most 8, others
// and whatever else was passed are closed. Reads and removes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
std::vector<Fd> passed_listeners();

} // namespace pgod::os

// UserSessions: what systemd must have ready before rootless podman runs as a user: /run/user/UID and the
// user's own manager and bus, in whose slice the containers live, out of reach of whatever happens to pgod's
// unit. A user who never logs in has them only with lingering (loginctl(1)), which is asked for here.
//
// Runs in the supervisor as root; without systemd, or as an ordinary user, there is nothing to wait for.
#pragma once

#include "base/identity.hpp"
#include "base/result.hpp"
#include "daemon/event_loop.hpp"
#include "os/spawn.hpp"

#include <map>
#include <string>

namespace pgod::daemon {

class UserSessions {
  public:
    explicit UserSessions(EventLoop& loop)
        : loop_(loop) {}

    // false: an admin enables lingering himself (`linger = false`).
    void set_lingering(bool asked_for) noexcept { lingering_ = asked_for; }

    // Code::transient: not there yet; asked for, unless the admin does that. Never waits.
    Status ready(const Identity& user);

  private:
    struct Request {
        os::Child process;
        EventLoop::Watch ended;
        EventLoop::Timer over;
    };
    void ask_for(const std::string& user);
    void on_ended(const std::string& user);

    EventLoop& loop_;
    bool lingering_ = true;
    std::map<std::string, Request> requests_; // by user
};

} // namespace pgod::daemon

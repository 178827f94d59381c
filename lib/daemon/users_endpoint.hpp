// UsersEndpoint: the supervisor's side of the socket on which the users of services reach a pgod that runs as
// root. It accepts, asks the kernel whose process connected, has that judged, and hands the connection to
// pgod-relay before a byte of it is read. What root holds from then on is one end of a line that it made
// itself: no frame and no descriptor of a user ever reaches it.
//
// Also who is refused is handed over: what he put into his connection is closed by who closes that last, and
// this is never the supervisor. Nothing is kept of him here. Connections are accepted at the rate of
// CommandRate; a flood delays others on this socket, and nobody on root's or over SSH.
#pragma once

#include "base/fd.hpp"
#include "core/service.hpp"
#include "daemon/command_rate.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/role_process.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/channel.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace pgod::daemon {

class UsersEndpoint {
  public:
    using Judge = std::function<std::optional<ipc::Exit>(uid_t uid)>; // what a refused one is told
    using Accepted = std::function<void(os::UpperEnd line, uid_t uid)>;

    UsersEndpoint(EventLoop& loop, Judge judge, Accepted accepted)
        : loop_(loop)
        , judge_(std::move(judge))
        , accepted_(std::move(accepted))
        , relay_(loop) {}

    // Not without root, nor with `control_users = false`. Where it cannot be, that is said, and pgod serves
    // without.
    void start(const Config& config, const std::string& empty_directory);

  private:
    Status listen(const Config& config, const std::string& empty_directory);
    void on_readable();
    Status hand_over();
    void rest(std::chrono::milliseconds time);

    EventLoop& loop_;
    Judge judge_;
    Accepted accepted_;
    RoleProcess relay_;
    CommandRate rate_;
    Fd listener_;
    Fd held_; // accepted, until the relay has it
    EventLoop::Watch watch_;
    EventLoop::Timer rest_;
};

} // namespace pgod::daemon

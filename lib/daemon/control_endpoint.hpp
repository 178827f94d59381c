// ControlEndpoint: the supervisor's side of the control socket, on which only root, or the user that pgod
// runs as, can connect. Asks the kernel whose process it is, and hands it on as a bounded channel: the one
// kind of socket that root reads (os/line.hpp). Reads nothing itself. Everybody else's is users_endpoint.hpp.
#pragma once

#include "base/fd.hpp"
#include "core/service.hpp"
#include "daemon/event_loop.hpp"
#include "os/channel.hpp"

#include <sys/types.h>

#include <functional>
#include <string>

namespace pgod::daemon {

// `control`, or where that socket is when nothing is said.
std::string control_path_of(const Config& config);

class ControlEndpoint {
  public:
    using Accepted = std::function<void(os::Channel channel, uid_t uid)>;

    ControlEndpoint(EventLoop& loop, Accepted accepted)
        : loop_(loop)
        , accepted_(std::move(accepted)) {}

    // Where that cannot be, it is said, and pgod serves without: the SSH endpoint is what others rely on.
    void start(const Config& config);

  private:
    void on_readable();

    EventLoop& loop_;
    Accepted accepted_;
    Fd listener_;
    EventLoop::Watch watch_;
    EventLoop::Timer rest_;
};

} // namespace pgod::daemon

// ControlEndpoint: the supervisor's side of the control socket. Accepts the processes of this host that
// connect, asks the kernel whose they are, and hands them on as the same bounded channel that a child of
// pgod-ssh has. Reads nothing itself.
#pragma once

#include "base/fd.hpp"
#include "core/service.hpp"
#include "daemon/event_loop.hpp"
#include "os/channel.hpp"

#include <sys/types.h>

#include <functional>

namespace pgod::daemon {

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

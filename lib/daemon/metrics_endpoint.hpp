// MetricsEndpoint: the supervisor's side of pgod-metrics. Binds the port of `metrics`, starts pgod-metrics
// and starts it again when it ends or does not read, and every few seconds sends it a snapshot. Without the
// setting there is no process and no timer. Reads nothing.
#pragma once

#include "core/service.hpp"
#include "daemon/role_process.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgod::daemon {

class MetricsEndpoint {
  public:
    using Look = std::function<std::vector<std::string>()>; // the frames of a snapshot

    MetricsEndpoint(EventLoop& loop, Look look)
        : loop_(loop)
        , process_(loop)
        , look_(std::move(look)) {}

    // As the configuration has it now. A port that cannot be had is said, and tried again: it keeps nothing
    // else from working.
    void follow(const std::optional<ListenAddress>& address, const std::string& empty_directory);
    // A snapshot now: something has changed that somebody may wait for.
    void tell_now() {
        if (address_ && process_.line())
            tell();
    }

  private:
    void open();
    Status start();
    void tell();
    void flush();

    EventLoop& loop_;
    RoleProcess process_;
    Look look_;
    std::optional<ListenAddress> address_;
    std::string empty_directory_;
    std::vector<Fd> listeners_;
    std::deque<std::string> frames_; // of a snapshot, that the socket did not take yet
    unsigned refused_ = 0;           // times in a row that it took nothing
    bool said_ = false;              // that the port cannot be had
    EventLoop::Timer timer_;
};

} // namespace pgod::daemon

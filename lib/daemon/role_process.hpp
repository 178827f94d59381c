// RoleProcess: the supervisor's hold on another executable of pgod that lives as long as it does: starts it
// with its end of a line (os/line.hpp) as descriptors 3 and 4, reads its frames, and a second after it ended
// or broke the protocol starts it again. It dies with us. The loop goes on while one ends; after a second it
// is killed.
#pragma once

#include "daemon/event_loop.hpp"
#include "os/line.hpp"
#include "os/spawn.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pgod::daemon {

class RoleProcess {
  public:
    struct Role {
        std::string program;                // its name
        std::vector<std::string> arguments; // after that
        std::vector<std::string> env = {};  // beside PATH and LANG
        // Each time that it was started: gives it its first frame.
        std::function<Status(const os::UpperEnd&)> begin;
        // Each frame of its own; false: it broke the protocol.
        std::function<bool(os::Frame)> heard;
        std::function<void()> ended = [] {
        }; // …and is started again soon
    };

    explicit RoleProcess(EventLoop& loop)
        : loop_(loop) {}

    Status start(Role role);
    void stop();    // kills it
    void restart(); // the same, and starts it again soon: it does not do what it should
    // False while it is not there.
    const os::UpperEnd& line() const noexcept { return line_; }

  private:
    Status launch();
    void on_readable();
    void on_exit();
    void launch_soon();

    EventLoop& loop_;
    Role role_;
    os::Child child_;
    os::UpperEnd line_;
    EventLoop::Watch frames_;
    EventLoop::Watch exit_; // while it is to end
    EventLoop::Timer restart_;
};

// "--user pgod --empty DIRECTORY" when we are root: as whom, and with what root directory, a role serves the
// network; nothing otherwise.
std::vector<std::string> confinement_arguments(const std::string& empty_directory);

} // namespace pgod::daemon

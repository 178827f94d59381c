// HostCommand: one program of the host that the supervisor starts (never waiting for it) and watches to its
// end from the event loop. What it prints is kept up to a bound, the rest dropped; at its deadline its whole
// group is killed.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "daemon/event_loop.hpp"
#include "os/spawn.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace pgod::daemon {

class HostCommand {
  public:
    struct End {
        bool timed_out = false;
        int wait_status = 0;
        std::string output; // both streams, the first max_output bytes
        bool succeeded() const noexcept { return !timed_out && wait_status == 0; }
    };
    static constexpr std::size_t max_output = 16384;

    using Done = std::function<void(const End&)>;

    // One that has not ended is killed, and not waited for: who it became can have it hang in the kernel.
    ~HostCommand() { child_.kill_and_forget(); }
    HostCommand(const HostCommand&) = delete;
    HostCommand& operator=(const HostCommand&) = delete;

    // `done` is called once, from the loop; it may destroy the HostCommand. Its standard streams are ours.
    static Result<std::unique_ptr<HostCommand>> start(EventLoop& loop, os::SpawnRequest request,
                                                      std::chrono::milliseconds deadline, Done done);

  private:
    HostCommand(EventLoop& loop, os::Child child, Fd output, std::chrono::milliseconds deadline, Done done);
    void on_output();
    void on_deadline();
    void finish();

    EventLoop& loop_;
    os::Child child_;
    Fd output_;
    Done done_;
    End end_;
    EventLoop::Watch printed_;
    EventLoop::Watch ended_;
    EventLoop::Timer deadline_;
};

} // namespace pgod::daemon

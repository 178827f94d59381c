// Worker: one pgod-work process, started as the service's user, watched from the supervisor. Its standard
// output and error are the client's pipes; the
// supervisor only ever reads its small reports. These come over a pipe: a user who gets at it can write
// there, but cannot send a descriptor. The job goes down in a sealed file, so that no socket joins root and
// the user.
#pragma once

#include "base/fd.hpp"
#include "base/identity.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/secret_files.hpp"
#include "ipc/work_messages.hpp"
#include "os/frame_pipe.hpp"
#include "os/spawn.hpp"

#include <functional>
#include <memory>

namespace pgod::daemon {

class Worker {
  public:
    using Done = std::function<void(ipc::WorkDone)>;
    using Seen = std::function<void(ipc::WorkReport)>; // all but WorkDone

    struct Streams { // the worker's ends; closed here once it has them. Absent: /dev/null
        Fd output;
        Fd errors;
        Fd input;
        SecretFiles secrets = {}; // absent: none
    };

    // `done` is called once, from the loop, when the process has ended; it may destroy the Worker. `seen`
    // must not.
    static Result<std::unique_ptr<Worker>> start(EventLoop& loop, const ipc::WorkJob& job,
                                                 const Identity& user, Streams streams, Done done,
                                                 Seen seen = {});

    ~Worker(); // asks it to end; never waits for it

    // A deployment waits with ipc::AtGate until it may change what runs. The gate also opens when we end.
    void open_gate() { gate_.reset(); }
    void cancel();                                     // SIGTERM to its group, SIGKILL soon after
    bool overdue() const noexcept { return overdue_; } // it was ended, for it did not end by itself in time
    void leave_alone();                                // it outlives us: we neither wait for it nor end it

  private:
    Worker(EventLoop& loop, os::Child child, os::FrameReader report, Fd gate,
           std::chrono::milliseconds deadline, Done done, Seen seen);
    void on_report(unsigned limit);
    void end_liar();
    void on_exit();

    EventLoop& loop_;
    os::Child child_;
    os::FrameReader report_;
    Fd gate_; // our end of a pipe; nothing is written to it
    Done done_;
    Seen seen_;
    std::optional<ipc::WorkDone> result_;
    unsigned frames_ = 0;
    bool overdue_ = false;
    EventLoop::Watch reports_;
    EventLoop::Watch exit_;
    EventLoop::Timer deadline_;
};

} // namespace pgod::daemon

// SshListener: accepts connections and hands each to a child of its own. Runs in pgod-ssh, confined,
// single-threaded and warmed up. It reads nothing of what a client sends; it counts, evicts and reaps
// (ssh_admission.hpp). One child more is forked in advance and waits, confined, for the next connection: a
// client need not wait for the fork. It gets that one connection and no other.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "daemon/call_filter.hpp"
#include "daemon/ssh_admission.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/line.hpp"
#include "ssh/server_bind.hpp"

#include <poll.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace pgod::daemon {

class SshListener {
  public:
    // SIGTERM must be blocked: it is read as an event here. Listening sockets are made non-blocking.
    SshListener(ssh::ServerBind bind, CallFilter filter, os::LowerEnd control, std::vector<Fd> sockets,
                const ipc::SshStart& start);
    ~SshListener(); // kills and reaps what is left

    // Until the supervisor closes its line or SIGTERM comes; then waits two seconds for the
    // children to say goodbye.
    Status run();

  private:
    struct Child {
        Admission::Id id;
        pid_t pid;
        Fd life;                // closes when it ends
        os::Channel connection; // takes the child's end of its line to the supervisor; closed once it has it
        std::string peer;
        bool announced = false; // to the supervisor
    };

    // Forked, and not yet anybody's: it ends when `connection` closes.
    struct Spare {
        pid_t pid = -1;
        os::Channel connection; // takes the socket, with its peer as text; then the line to the supervisor
        Fd life;
    };

    Status wait();
    bool read_control();
    void accept_some(int socket);
    void start_child(Fd socket, std::string peer);
    Result<Spare> fork_spare();
    [[noreturn]] void become_child(os::Channel connection, Fd life) noexcept;
    void keep_spare();
    void end_spare() noexcept;
    Status announce();
    bool announcement_waits() const noexcept;
    void pass_line(Admission::Id id, const std::vector<Fd>& line);
    void end_of(int fd);
    void end_child(Admission::Id id);
    void end_overdue();
    void say_full(const std::string& peer);
    void say_turned_away(const std::string& peer, const std::string& why);

    ssh::ServerBind bind_;
    CallFilter filter_;
    os::LowerEnd control_;
    std::vector<Fd> sockets_;
    std::chrono::milliseconds login_deadline_;
    Admission admission_;
    Fd terminate_; // signalfd of SIGTERM
    pid_t self_;
    std::vector<Child> children_;
    Spare spare_;
    std::vector<pollfd> polled_;
    Admission::Id next_id_ = 1;
    Admission::Clock::time_point accept_after_{}; // out of descriptors or processes: not before
    Admission::Clock::time_point said_turned_away_{};
    bool stopping_ = false;
};

} // namespace pgod::daemon

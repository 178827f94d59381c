// Connection: the supervisor's end of one client's line: of the forked child that serves an SSH
// connection, which asks whether a key is known and then, once, to run a command; or of a process of this
// host at the control socket, which asks once, within ten seconds. What may be sent when is fixed, and
// anything else ends it.
#pragma once

#include "base/fd.hpp"
#include "daemon/event_loop.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/line.hpp"

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgod::daemon {

struct Peer {
    std::string name;           // ADDRESS:PORT, or "local"
    std::optional<uid_t> uid{}; // of a process of this host, as the kernel says
    std::uint64_t ssh_id = 0;   // what pgod-ssh calls the connection
};

class Connection {
  public:
    struct Handlers {
        std::function<bool(const PublicKey&)> knows;
        std::function<void(Connection&, ipc::Run)> run;
        std::function<void(int exit_status)> finished; // the command that was run
        std::function<void(Connection&)>
            closed; // must not destroy the Connection before it returns to the loop
    };

    Connection(EventLoop& loop, std::uint64_t id, os::UpperEnd line, Peer peer, Handlers handlers);

    std::uint64_t id() const noexcept { return id_; }
    const std::string& peer() const noexcept { return peer_.name; }
    std::optional<uid_t> uid() const noexcept { return peer_.uid; }
    std::uint64_t ssh_id() const noexcept { return peer_.ssh_id; }
    bool ran() const noexcept { return ran_; }           // it asked for a command
    bool finished() const noexcept { return finished_; } // the command; nothing more is to be said
    unsigned unknown_keys() const noexcept { return unknown_keys_; } // that were asked about

    void print(std::string_view text);              // to the client's standard output
    void say(std::string_view sentence);            // a line on the client's standard error, escaped
    Status hand_over(std::span<const int> streams); // as ipc::Streams has them
    void finish(int exit_status, std::string_view last = {}); // …with a last line on standard error, escaped
    void refuse(std::string_view sentence); // as unauthorized: nothing was begun, another key may do

  private:
    void on_readable();
    bool accept(std::string_view frame);
    bool answer(const ipc::KeyQuery& query);
    bool run(ipc::Run request);
    void send(const ipc::SshReply& reply);
    void exit(ipc::Exit end);
    void flush();
    void end();
    void text(bool to_stderr, std::string_view bytes);

    EventLoop& loop_;
    std::uint64_t id_;
    os::UpperEnd line_;
    Peer peer_;
    Handlers handlers_;
    bool ran_ = false;
    bool finished_ = false;
    bool ended_ = false; // nothing more is sent
    unsigned queries_ = 0;
    unsigned unknown_keys_ = 0;
    std::deque<std::string> waiting_; // frames that the socket did not take yet, in order
    std::size_t waiting_bytes_ = 0;
    EventLoop::Timer flush_;
    EventLoop::Timer silence_; // of a process of this host: until it has asked
    EventLoop::Watch watch_;
};

} // namespace pgod::daemon

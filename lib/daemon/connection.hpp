// Connection: the supervisor's end of one SSH connection's channel. The forked child asks whether a key is
// known and then, once, to run a command; what it may send when is fixed, and anything else ends it.
// Authorisation is decided here, at the moment the command is run.
#pragma once

#include "base/fd.hpp"
#include "daemon/event_loop.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/channel.hpp"

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace pgod::daemon {

class Connection {
  public:
    struct Handlers {
        std::function<bool(const PublicKey&)> knows;
        std::function<void(Connection&, ipc::Run)> run;
        std::function<void(int exit_status)> finished; // the command that was run
        std::function<void(Connection&)>
            closed; // must not destroy the Connection before it returns to the loop
    };

    Connection(EventLoop& loop, std::uint64_t id, os::Channel channel, std::string peer, Handlers handlers);

    std::uint64_t id() const noexcept { return id_; }
    const std::string& peer() const noexcept { return peer_; }

    void print(std::string_view text);              // to the client's standard output
    void say(std::string_view sentence);            // a line on the client's standard error, escaped
    Status hand_over(std::span<const int> streams); // as ipc::Streams has them
    void finish(int exit_status, std::string_view last = {}); // …with a last line on standard error, escaped

  private:
    void on_readable();
    bool accept(const ipc::SshRequest& request);
    void send(const ipc::SshReply& reply);
    void flush();
    void end();
    void text(bool to_stderr, std::string_view bytes);

    EventLoop& loop_;
    std::uint64_t id_;
    os::Channel channel_;
    std::string peer_;
    Handlers handlers_;
    bool ran_ = false;
    bool ended_ = false; // nothing more is sent
    unsigned queries_ = 0;
    std::deque<std::string> waiting_; // frames that the socket did not take yet, in order
    std::size_t waiting_bytes_ = 0;
    EventLoop::Timer flush_;
    EventLoop::Watch watch_;
};

} // namespace pgod::daemon

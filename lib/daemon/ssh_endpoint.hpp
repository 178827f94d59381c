// SshEndpoint: the supervisor's side of pgod-ssh. Binds the port, hands over the host key, starts
// pgod-ssh and starts it again when it ends, and makes the line that joins each accepted connection's process
// to us. Receives no descriptor, and parses nothing that a client sent.
#pragma once

#include "base/secret.hpp"
#include "core/service.hpp"
#include "daemon/role_process.hpp"
#include "ipc/ssh_messages.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pgod::daemon {

class SshEndpoint {
  public:
    // False: more are open than an honest pgod-ssh has, and it is restarted.
    using Accepted = std::function<bool(os::UpperEnd line, std::string peer, std::uint64_t id)>;
    using Listening = std::function<void()>;  // connections are answered from now on
    using TurnedAway = std::function<void()>; // a connection, for want of a place

    SshEndpoint(EventLoop& loop, Accepted accepted, Listening listening, TurnedAway turned_away)
        : process_(loop)
        , accepted_(std::move(accepted))
        , listening_(std::move(listening))
        , turned_away_(std::move(turned_away)) {}

    // Listens on `passed`, or binds `config.listen` when that is empty; makes `config.host_key` when it is
    // missing; returns once pgod-ssh was started. As root it runs as the system user "pgod" with
    // `empty_directory` as its root.
    Status start(const Config& config, const std::string& empty_directory, std::vector<Fd> passed);

    // Whether the connection serves a request, and so keeps its place; without one it yields to others.
    void place(std::uint64_t id, bool kept) const;

    bool listens() const noexcept { return listens_; } // connections are answered now

  private:
    Status check_user() const;
    Status load_host_keys(const Config& config);
    Status begin(const os::UpperEnd& line) const;
    bool heard(const os::Frame& frame);
    bool connect(ipc::Connected connected);

    RoleProcess process_;
    Accepted accepted_;
    Listening listening_;
    TurnedAway turned_away_;
    std::vector<Fd> listeners_;
    Secret host_key_;
    Secret second_host_key_; // empty: there is none
    bool listens_ = false;
};

} // namespace pgod::daemon

// SshEndpoint: the supervisor's side of pgod-ssh. Binds the port, hands over the host key, starts
// pgod-ssh and starts it again when it ends, and hands each accepted connection on. Parses nothing a client
// sent.
#pragma once

#include "base/secret.hpp"
#include "core/service.hpp"
#include "daemon/event_loop.hpp"
#include "os/channel.hpp"
#include "os/spawn.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgod::daemon {

class SshEndpoint {
  public:
    using Accepted = std::function<void(os::Channel channel, std::string peer)>;
    using Listening = std::function<void()>; // connections are answered from now on

    SshEndpoint(EventLoop& loop, Accepted accepted, Listening listening)
        : loop_(loop)
        , accepted_(std::move(accepted))
        , listening_(std::move(listening)) {}

    // Listens on `passed`, or binds `config.listen` when that is empty; makes `config.host_key` when it is
    // missing; returns once pgod-ssh was started. As root it runs as the system user "pgod" with
    // `empty_directory` as its root.
    Status start(const Config& config, const std::string& empty_directory, std::vector<Fd> passed);

  private:
    Status check_user() const;
    Status load_host_keys(const Config& config);
    Status bind(const ListenAddress& address);
    Status launch();
    void on_notice();
    void restart_soon();
    std::vector<std::string> arguments() const;

    EventLoop& loop_;
    Accepted accepted_;
    Listening listening_;
    std::vector<Fd> listeners_;
    Secret host_key_;
    Secret second_host_key_; // empty: there is none
    std::string empty_directory_;
    os::Child child_;
    os::Channel control_;
    EventLoop::Watch notices_;
    EventLoop::Timer restart_;
};

} // namespace pgod::daemon

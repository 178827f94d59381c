// ReverseProxy: brings the include file of `[proxy]` to the wanted text and makes the running proxy read it:
// check, replace, reload, each step from the event loop, with deadlines. The running proxy is only ever asked
// to reload what its own check took; when it cannot, the file is put back. What failed is tried again, ever
// more rarely, and whenever something is wanted anew. Runs in the supervisor, as root.
#pragma once

#include "daemon/event_loop.hpp"
#include "daemon/host_command.hpp"
#include "daemon/proxy_files.hpp"

#include <memory>
#include <optional>
#include <string>

namespace pgod::daemon {

class ReverseProxy {
  public:
    ReverseProxy(EventLoop& loop, std::string state_directory)
        : loop_(loop)
        , state_directory_(std::move(state_directory)) {}

    void want(const ProxySettings& settings, std::string text);
    void leave_alone(); // it is no longer configured: the file stays

    // Why the proxy does not have what is wanted: one sentence. Empty: it has it, or will soon.
    const std::string& problem() const noexcept { return problem_; }

  private:
    using Judge = void (ReverseProxy::*)(const HostCommand::End&);
    void begin();
    void start(Result<os::SpawnRequest> request, Judge judge);
    Status place();
    void on_checked(const HostCommand::End& end);
    void on_probed(const HostCommand::End& end);
    void replace();
    void reload();
    void on_reloaded(const HostCommand::End& end);
    void succeed();
    void fail(std::string sentence);
    void end_round();
    std::string what_failed(const HostCommand::End& end) const;

    EventLoop& loop_;
    std::string state_directory_;
    std::optional<ProxyFiles> files_;
    std::string wanted_;
    std::string trying_;                 // the text of this round
    std::optional<std::string> present_; // …and what was there before it
    bool again_ = false;                 // something else was wanted meanwhile
    std::string problem_;
    unsigned failures_ = 0; // in a row
    std::unique_ptr<HostCommand> command_;
    EventLoop::Timer retry_;
};

} // namespace pgod::daemon

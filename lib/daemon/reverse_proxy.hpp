// ReverseProxy: brings the include file of `[proxy]` to the wanted text and makes the running proxy read it:
// check, replace, reload, each step from the event loop, with deadlines. The running proxy is only ever asked
// to reload what its own check took; when it cannot, the file is put back. What failed is tried again, ever
// more rarely, and whenever something is wanted anew. Whoever may ask for names can so make the proxy of all
// reload, hence at a pace: 16 times at once, and then every 30 s. Runs in the supervisor, as root.
#pragma once

#include "core/pace.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/host_command.hpp"
#include "daemon/proxy_files.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgod::daemon {

class ReverseProxy {
  public:
    ReverseProxy(EventLoop& loop, std::string state_directory)
        : loop_(loop)
        , state_directory_(std::move(state_directory)) {}

    // The first of the texts that the proxy accepts; each is tried when the one before it was refused.
    void want(const ProxySettings& settings, std::vector<std::string> texts);
    void leave_alone(); // it is no longer configured: the file stays

    // Why the proxy does not have what is wanted: one sentence. Empty: it has it, or will soon.
    const std::string& problem() const noexcept { return problem_; }
    // Which of the texts it has, or is to have; the first while none was accepted.
    std::size_t choice() const noexcept { return choice_; }

  private:
    using Judge = void (ReverseProxy::*)(const HostCommand::End&);
    void begin();
    void offer();
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
    const std::string& trying() const { return offered_[offer_]; }
    std::string what_failed(const HostCommand::End& end) const;

    EventLoop& loop_;
    std::string state_directory_;
    std::optional<ProxyFiles> files_;
    std::vector<std::string> wanted_;
    std::size_t choice_ = 0;
    std::vector<std::string> offered_;   // those of this round
    std::size_t offer_ = 0;              // …and which of them has its turn
    std::string complaint_;              // about the first of them
    std::optional<std::string> present_; // …and what was there before it
    bool again_ = false;                 // something else was wanted meanwhile
    std::string problem_;
    unsigned failures_ = 0; // in a row
    Pace pace_{std::chrono::seconds(30), 16};
    std::unique_ptr<HostCommand> command_;
    EventLoop::Timer retry_;
};

} // namespace pgod::daemon

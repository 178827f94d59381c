// Surveys: the supervisor's side of looking at containers between commits. All services of a user that ask
// within one interval share a worker and its one `podman ps`; users wait for each other once `max_parallel`
// surveys are under way. Every ask ends in exactly one callback, unless the service asks again or forget()s
// first; none runs inside the call that asked.
#pragma once

#include "base/identity.hpp"
#include "base/result.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/worker.hpp"
#include "ipc/work_messages.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pgod::daemon {

class Surveys {
  public:
    // An Error when nobody could look: the worker did not start, or ended before it had finished.
    using Done = std::function<void(Result<ipc::Surveyed>)>;

    explicit Surveys(EventLoop& loop)
        : loop_(loop) {}
    ~Surveys();

    // `services` holds the services' directories. `spacing`: no sooner after the last survey of this user.
    void ask(const std::string& service, const Identity& user, const std::string& services,
             std::chrono::milliseconds spacing, Done done);
    void forget(const std::string& service);

  private:
    using Clock = std::chrono::steady_clock;
    using Asked = std::map<std::string, Done>; // by service

    struct User {
        Identity identity;
        std::string services;
        Asked waiting;
        Asked looked_at; // by the survey under way
        Clock::time_point due;
        std::optional<Clock::time_point> begun; // the last survey
        bool busy = false;                      // one is under way
        std::unique_ptr<Worker> worker;
        EventLoop::Timer timer; // until the next one, or until one that hangs is ended
    };

    void schedule(const std::string& name, User& user);
    void begin(const std::string& name, User& user);
    Status start_worker(const std::string& name, User& user, ipc::WorkJob job);
    void take(const std::string& name, ipc::Surveyed seen);
    void finish(const std::string& name, const ipc::WorkDone& done);

    EventLoop& loop_;
    std::map<std::string, User> users_;
    std::size_t under_way_ = 0;
};

} // namespace pgod::daemon

// The supervisor's event loop: readable descriptors, timers and signals, one thread. asio underneath, with
// plain handlers, kept out of every other file. A Watch or Timer that is destroyed never calls again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace pgod::daemon {

class EventLoop {
  public:
    using Handler = std::function<void()>;

    // Calls the handler each time the descriptor is readable or hung up; the descriptor stays its owner's and
    // must outlive the Watch.
    class Watch {
      public:
        struct State;
        Watch() = default;
        explicit Watch(std::shared_ptr<State> state);
        Watch(Watch&&) noexcept = default;
        Watch& operator=(Watch&& other) noexcept;
        ~Watch();
        void cancel() noexcept;
        bool active() const noexcept { return state_ != nullptr; }

      private:
        std::shared_ptr<State> state_; // shared with the handler that waits in asio
    };

    class Timer {
      public:
        struct State;
        Timer() = default;
        explicit Timer(std::shared_ptr<State> state);
        Timer(Timer&&) noexcept = default;
        Timer& operator=(Timer&& other) noexcept;
        ~Timer();
        void cancel() noexcept;

      private:
        std::shared_ptr<State> state_;
    };

    EventLoop();
    ~EventLoop();

    Watch watch(int fd, Handler handler);
    Timer after(std::chrono::milliseconds delay, Handler handler);
    void on_signal(int number, Handler handler);
    void post(Handler handler); // soon, from the loop itself

    void run();
    void stop();

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

} // namespace pgod::daemon

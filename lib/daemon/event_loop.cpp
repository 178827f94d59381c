#include "daemon/event_loop.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <poll.h>

#include <list>

namespace pgod::daemon {

namespace {

// A wait may end without cause: asio gives what it kept for a descriptor that was let go to a new one, and
// with it an event that was under way (reactive_wait_op looks at nothing itself). Taken for the end of a
// process that has just begun, it would be killed.
bool is_readable(int fd) noexcept {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
}

} // namespace

struct EventLoop::Core {
    asio::io_context context{1};
    std::list<asio::signal_set> signals;
};

struct EventLoop::Watch::State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, int fd, Handler wanted)
        : descriptor(context, fd)
        , handler(std::move(wanted)) {}

    void arm() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [self = shared_from_this()](const asio::error_code& error) {
                                  if (error || !self->active)
                                      return;
                                  if (is_readable(self->descriptor.native_handle()))
                                      self->handler();
                                  if (self->active)
                                      self->arm();
                              });
    }

    void cancel() noexcept {
        if (!active)
            return;
        active = false;
        asio::error_code ignored;
        descriptor.cancel(ignored);
        (void)descriptor.release(); // the descriptor is not ours to close
    }

    asio::posix::stream_descriptor descriptor;
    Handler handler;
    bool active = true;
};

struct EventLoop::Timer::State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, Handler wanted)
        : timer(context)
        , handler(std::move(wanted)) {}

    void cancel() noexcept {
        active = false;
        timer.cancel();
    }

    asio::steady_timer timer;
    Handler handler;
    bool active = true;
};

EventLoop::Watch::Watch(std::shared_ptr<State> state)
    : state_(std::move(state)) {}
EventLoop::Watch& EventLoop::Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        cancel();
        state_ = std::move(other.state_);
    }
    return *this;
}
EventLoop::Watch::~Watch() {
    cancel();
}
void EventLoop::Watch::cancel() noexcept {
    if (state_)
        state_->cancel();
    state_.reset();
}

EventLoop::Timer::Timer(std::shared_ptr<State> state)
    : state_(std::move(state)) {}
EventLoop::Timer& EventLoop::Timer::operator=(Timer&& other) noexcept {
    if (this != &other) {
        cancel();
        state_ = std::move(other.state_);
    }
    return *this;
}
EventLoop::Timer::~Timer() {
    cancel();
}
void EventLoop::Timer::cancel() noexcept {
    if (state_)
        state_->cancel();
    state_.reset();
}

EventLoop::EventLoop()
    : core_(std::make_unique<Core>()) {}
EventLoop::~EventLoop() = default;

EventLoop::Watch EventLoop::watch(int fd, Handler handler) {
    auto state = std::make_shared<Watch::State>(core_->context, fd, std::move(handler));
    state->arm();
    return Watch(std::move(state));
}

EventLoop::Timer EventLoop::after(std::chrono::milliseconds delay, Handler handler) {
    auto state = std::make_shared<Timer::State>(core_->context, std::move(handler));
    state->timer.expires_after(delay);
    state->timer.async_wait([state](const asio::error_code& error) {
        if (!error && state->active)
            state->handler();
    });
    return Timer(std::move(state));
}

void EventLoop::on_signal(int number, Handler handler) {
    asio::signal_set& signals = core_->signals.emplace_back(core_->context, number);
    auto wait = std::make_shared<std::function<void()>>();
    *wait = [&signals, handler = std::move(handler), weak = std::weak_ptr(wait)] {
        signals.async_wait([handler, again = weak.lock()](const asio::error_code& error, int) {
            if (error)
                return;
            handler();
            (*again)();
        });
    };
    (*wait)();
}

void EventLoop::post(Handler handler) {
    asio::post(core_->context, std::move(handler));
}

void EventLoop::run() {
    core_->context.run();
}

void EventLoop::stop() {
    core_->context.stop();
}

} // namespace pgod::daemon

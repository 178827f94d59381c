// WorkSlots: how many deployments are under way on the host at once (`parallel`). Who finds no slot waits in
// line: commands before what nobody waits for, else in the order of asking; who is not ready, because of the
// services that it comes after, is passed by. What stops a service, and all that only looks, needs none. Runs
// in the supervisor, from the loop.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>

namespace pgod::daemon {

class WorkSlots {
  public:
    explicit WorkSlots(std::size_t limit)
        : limit_(limit) {}

    void set_limit(std::size_t limit); // what is under way goes on
    bool free() const;
    void look_again(); // somebody may have become ready
    std::size_t taken() const noexcept { return taken_; }
    std::size_t waiting() const noexcept { return waiting_.size(); }

    // One slot, until the owner goes; also beyond the limit, for whoever was told that one is free.
    class Slot {
      public:
        explicit Slot(WorkSlots& slots)
            : slots_(&slots) {
            ++slots_->taken_;
        }
        ~Slot() { slots_->give_back(); }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

      private:
        WorkSlots* slots_;
    };

    // `came` is called once, from the loop or from what gave a slot back: it takes the slot, or leaves it.
    void wait(const std::string& service, bool first, std::function<bool()> ready,
              std::function<void()> came);
    void leave(const std::string& service);

  private:
    struct Waiting {
        std::string service;
        bool first = false;
        std::function<bool()> ready;
        std::function<void()> came;
    };
    void give_back();
    void call_next();

    std::size_t limit_;
    std::size_t taken_ = 0;
    bool calling_ = false;
    std::deque<Waiting> waiting_;
};

} // namespace pgod::daemon

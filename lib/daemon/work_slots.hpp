// WorkSlots: how many workers of one kind are under way on the host at once, and how many of them one Unix
// user may have. A service that finds no slot waits in line: services of the user who holds the fewest slots
// go first, then commands before what nobody waits for, then the order of asking. A service that is not
// ready, because of the services that it comes after, is passed by, as is one whose user has no room. Runs in
// the supervisor, from the loop.
#pragma once

#include "core/fair_share.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace pgod::daemon {

class WorkSlots {
  public:
    using User = FairShare::User;

    explicit WorkSlots(std::size_t limit, std::size_t per_user = SIZE_MAX)
        : share_(limit, per_user) {}

    // What is under way goes on.
    void set_limit(std::size_t limit, std::size_t per_user = SIZE_MAX);
    bool free_for(User user) const;
    void look_again(); // somebody may have become ready
    std::size_t taken() const noexcept { return share_.taken(); }
    std::size_t waiting() const noexcept { return waiting_.size(); }

    // One slot, until the owner goes; also beyond the limit, for an owner who was told that one is free.
    class Slot {
      public:
        Slot(WorkSlots& slots, User user)
            : slots_(&slots)
            , user_(user) {
            slots_->share_.take(user_);
        }
        ~Slot() { slots_->give_back(user_); }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

      private:
        WorkSlots* slots_;
        User user_;
    };

    struct Wish {
        std::string service;
        User user = 0;
        bool first = false; // a client waits for it
        std::function<bool()> ready;
        // Called once, from the loop or from what gave a slot back: it takes the slot, or leaves it.
        std::function<void()> came;
    };
    void wait(Wish wish);
    void leave(const std::string& service);

  private:
    using Line = std::deque<Wish>;
    Line::iterator next();
    void give_back(User user);
    void call_next();

    FairShare share_;
    bool calling_ = false;
    Line waiting_;
};

} // namespace pgod::daemon

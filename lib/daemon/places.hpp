// Places: the host's places for work on services, one line for each kind (core/reconcile.hpp says what each
// kind is for). A build that hangs holds a place to prepare: of its user's share, and none in which others
// switch or heal. Runs in the supervisor, from the loop.
#pragma once

#include "core/reconcile.hpp"
#include "daemon/work_slots.hpp"

#include <cstddef>
#include <string>

namespace pgod::daemon {

class Places {
  public:
    // `parallel` to switch, and twice as many to prepare, but at least eight. `users`: Unix users with
    // services. One of several holds at most half of the first, but at least one, since a worker is a process
    // of its user and can stand still; and any user a quarter of the second.
    Places(std::size_t parallel, std::size_t users);
    void set_parallel(std::size_t parallel, std::size_t users);

    WorkSlots& of(reconcile::Place place);
    const WorkSlots& preparing() const noexcept { return preparing_; }
    const WorkSlots& switching() const noexcept { return switching_; }
    reconcile::Room room_for(WorkSlots::User user) const;
    void close(); // nothing more begins
    void leave(const std::string& service);
    void look_again();

  private:
    WorkSlots preparing_;
    WorkSlots switching_;
    WorkSlots healing_;
};

} // namespace pgod::daemon

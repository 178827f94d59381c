// FairShare: places of one kind (git jobs, for one), each taken by a Unix user. There are `total` of them,
// and one user holds at most `per_user`, so work of one user that hangs leaves places to others. The caller
// queues its own entries, and passes by those of a user without room. Pure; the supervisor uses it from its
// loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace pgod {

class FairShare {
  public:
    using User = std::uint32_t; // a uid

    FairShare(std::size_t total, std::size_t per_user)
        : total_(total)
        , per_user_(per_user) {}

    void set_limits(std::size_t total, std::size_t per_user) noexcept { // what is taken stays taken
        total_ = total;
        per_user_ = per_user;
    }
    std::size_t taken() const noexcept { return taken_; }
    std::size_t held_by(User user) const;
    bool full() const noexcept { return taken_ >= total_; } // for every user
    bool has_room_for(User user) const;
    void take(User user);
    void give_back(User user); // as often as it was taken

  private:
    std::size_t total_;
    std::size_t per_user_;
    std::size_t taken_ = 0;
    std::map<User, std::size_t> held_; // no zeros
};

} // namespace pgod

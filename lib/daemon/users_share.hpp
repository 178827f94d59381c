// How the connections to users.sock are shared. Pure. Some are for users who have none. Of the others a user
// has at most 16, and no more than a quarter of what is free. So eight users who collude leave three to a
// ninth, and it takes 67 of them to leave none.
//
// Nobody is evicted here: descriptors that a user leaves unread in a connection count against user pgod until
// that user closes it, also when pgod-relay has gone (relay_child.cpp).
#pragma once

#include <algorithm>
#include <cstddef>

namespace pgod::daemon {

inline constexpr std::size_t most_of_one_user = 16;
inline constexpr std::size_t most_of_users = 128; // of all but root; pgod-relay has some processes more
inline constexpr std::size_t for_users_with_none = 48;

constexpr std::size_t share_of_user(std::size_t held_by_all) noexcept {
    const std::size_t free = most_of_users - std::min(held_by_all, most_of_users);
    const std::size_t shared = free - std::min(free, for_users_with_none);
    return free == 0 ? 0 : std::clamp<std::size_t>(shared / 4, 1, most_of_one_user);
}

} // namespace pgod::daemon

#include "core/fair_share.hpp"

namespace pgod {

bool FairShare::has_room_for(User user) const {
    const auto held = held_.find(user);
    return !full() && (held == held_.end() ? per_user_ > 0 : held->second < per_user_);
}

void FairShare::take(User user) {
    ++taken_;
    ++held_[user];
}

void FairShare::give_back(User user) {
    const auto held = held_.find(user);
    if (held == held_.end())
        return;
    --taken_;
    if (--held->second == 0)
        held_.erase(held);
}

} // namespace pgod

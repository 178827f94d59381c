#include "core/fair_share.hpp"

namespace pgod {

std::size_t FairShare::held_by(User user) const {
    const auto held = held_.find(user);
    return held == held_.end() ? 0 : held->second;
}

bool FairShare::has_room_for(User user) const {
    return !full() && held_by(user) < per_user_;
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

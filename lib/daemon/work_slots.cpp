#include "daemon/work_slots.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pgod::daemon {

void WorkSlots::set_limit(std::size_t limit, std::size_t per_user) {
    share_.set_limits(limit, per_user);
    call_next();
}

// A service that waits goes first when it could begin now.
bool WorkSlots::free_for(User user) const {
    return share_.has_room_for(user) &&
           std::none_of(waiting_.begin(), waiting_.end(),
                        [this](const Wish& wish) { return share_.has_room_for(wish.user) && wish.ready(); });
}

void WorkSlots::look_again() {
    call_next();
}

void WorkSlots::wait(Wish wish) {
    leave(wish.service);
    waiting_.push_back(std::move(wish));
}

void WorkSlots::leave(const std::string& service) {
    std::erase_if(waiting_, [&service](const Wish& wish) { return wish.service == service; });
}

void WorkSlots::give_back(User user) {
    share_.give_back(user);
    call_next();
}

WorkSlots::Line::iterator WorkSlots::next() {
    const auto place = [this](const Wish& wish) {
        return std::tuple(share_.held_by(wish.user), !wish.first);
    };
    auto best = waiting_.end();
    for (auto wish = waiting_.begin(); wish != waiting_.end(); ++wish)
        if (share_.has_room_for(wish->user) && (best == waiting_.end() || place(*wish) < place(*best)) &&
            wish->ready())
            best = wish;
    return best;
}

// Whoever is called may leave its slot at once, and then it is the next one's.
void WorkSlots::call_next() {
    if (std::exchange(calling_, true))
        return;
    while (!share_.full()) {
        const auto place = next();
        if (place == waiting_.end())
            break;
        const Wish called = std::move(*place);
        waiting_.erase(place);
        called.came();
    }
    calling_ = false;
}

} // namespace pgod::daemon

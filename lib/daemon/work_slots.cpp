#include "daemon/work_slots.hpp"

#include <algorithm>
#include <utility>

namespace pgod::daemon {

void WorkSlots::set_limit(std::size_t limit) {
    limit_ = limit;
    call_next();
}

bool WorkSlots::free() const {
    return taken_ < limit_ &&
           std::none_of(waiting_.begin(), waiting_.end(), [](const Waiting& entry) { return entry.ready(); });
}

void WorkSlots::look_again() {
    call_next();
}

void WorkSlots::wait(const std::string& service, bool first, std::function<bool()> ready,
                     std::function<void()> came) {
    leave(service);
    const auto place = first ? std::find_if(waiting_.begin(), waiting_.end(),
                                            [](const Waiting& other) { return !other.first; })
                             : waiting_.end();
    waiting_.insert(place, Waiting{service, first, std::move(ready), std::move(came)});
}

void WorkSlots::leave(const std::string& service) {
    std::erase_if(waiting_, [&service](const Waiting& entry) { return entry.service == service; });
}

void WorkSlots::give_back() {
    --taken_;
    call_next();
}

// Whoever is called may leave its slot at once, and then it is the next one's.
void WorkSlots::call_next() {
    if (std::exchange(calling_, true))
        return;
    while (taken_ < limit_) {
        const auto place = std::find_if(waiting_.begin(), waiting_.end(),
                                        [](const Waiting& entry) { return entry.ready(); });
        if (place == waiting_.end())
            break;
        const Waiting next = std::move(*place);
        waiting_.erase(place);
        next.came();
    }
    calling_ = false;
}

} // namespace pgod::daemon

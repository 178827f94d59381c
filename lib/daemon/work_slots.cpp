#include "daemon/work_slots.hpp"

#include <algorithm>
#include <utility>

namespace pgod::daemon {

void WorkSlots::set_limit(std::size_t limit) {
    limit_ = limit;
    call_next();
}

void WorkSlots::wait(const std::string& service, bool first, std::function<void()> came) {
    leave(service);
    const auto place = first ? std::find_if(waiting_.begin(), waiting_.end(),
                                            [](const Waiting& other) { return !other.first; })
                             : waiting_.end();
    waiting_.insert(place, Waiting{service, first, std::move(came)});
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
    while (taken_ < limit_ && !waiting_.empty()) {
        const Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        next.came();
    }
    calling_ = false;
}

} // namespace pgod::daemon

#include "daemon/places.hpp"

#include <algorithm>

namespace pgod::daemon {

namespace {

constexpr std::size_t least_preparing = 8;
constexpr std::size_t users_to_fill = 4; // the places to prepare, or to heal
constexpr std::size_t most_healing = 16;

} // namespace

Places::Places(std::size_t parallel, std::size_t users)
    : preparing_(0)
    , switching_(0)
    , healing_(most_healing, most_healing / users_to_fill) {
    set_parallel(parallel, users);
}

void Places::set_parallel(std::size_t parallel, std::size_t users) {
    const std::size_t preparing = std::max(least_preparing, 2 * parallel);
    preparing_.set_limit(preparing, preparing / users_to_fill);
    switching_.set_limit(parallel, users > 1 ? std::max<std::size_t>(1, parallel / 2) : parallel);
}

WorkSlots& Places::of(reconcile::Place place) {
    switch (place) {
    case reconcile::Place::preparing:
        return preparing_;
    case reconcile::Place::switching:
        return switching_;
    case reconcile::Place::healing:
        break;
    }
    return healing_;
}

reconcile::Room Places::room_for(WorkSlots::User user) const {
    return {preparing_.free_for(user), switching_.free_for(user), healing_.free_for(user)};
}

void Places::close() {
    for (WorkSlots* slots : {&preparing_, &switching_, &healing_})
        slots->set_limit(0);
}

void Places::leave(const std::string& service) {
    for (WorkSlots* slots : {&preparing_, &switching_, &healing_})
        slots->leave(service);
}

void Places::look_again() {
    for (WorkSlots* slots : {&preparing_, &switching_, &healing_})
        slots->look_again();
}

} // namespace pgod::daemon

#include "daemon/service_order.hpp"

#include "core/reconcile_order.hpp"

#include <algorithm>
#include <utility>

namespace pgod::daemon {

void ServiceOrder::follow(const std::vector<Service>& services) {
    // What is known stays known: a change that comes right after a reload must not look like none.
    std::map<std::string, Seen> before = std::exchange(followed_, {});
    for (const auto& service : services)
        for (const auto& other : service.after)
            if (const auto known = before.find(other); known != before.end())
                followed_.insert(*known);
            else
                followed_.emplace(other, seen_of(other));
}

void ServiceOrder::look_at_others(const Service& service, reconcile::Settings& settings) const {
    for (const auto& other : service.after)
        reconcile::look_at_other(settings, other, state_of(other));
}

void ServiceOrder::stirred(const std::string& service) {
    const auto followed = followed_.find(service);
    if (followed == followed_.end())
        return;
    const Seen seen = seen_of(service);
    if (seen == std::exchange(followed->second, seen))
        return;
    loop_.post([this, service] { tell_those_after(service); });
}

ServiceOrder::Seen ServiceOrder::seen_of(const std::string& service) const {
    reconcile::Settings now;
    reconcile::look_at_other(now, service, state_of(service));
    return {std::move(now.awaits), std::move(now.unsettled), std::move(now.held_by)};
}

const reconcile::State* ServiceOrder::state_of(const std::string& service) const {
    const auto actor = actors_.find(service);
    return actor == actors_.end() ? nullptr : &actor->second->state();
}

// One that is told may go, and take its place in the map along: their names are gathered first.
void ServiceOrder::tell_those_after(const std::string& service) {
    std::vector<std::string> names;
    for (const auto& [name, actor] : actors_) {
        const auto& after = actor->service().after;
        if (std::find(after.begin(), after.end(), service) != after.end())
            names.push_back(name);
    }
    for (const auto& name : names)
        if (const auto actor = actors_.find(name); actor != actors_.end())
            actor->second->others_changed();
    places_.look_again();
}

} // namespace pgod::daemon

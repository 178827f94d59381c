#include "daemon/places.hpp"

#include <algorithm>
#include <utility>

namespace pgod::daemon {

std::size_t Places::count(const Filter& filter) const {
    return static_cast<std::size_t>(
        std::count_if(holders_.begin(), holders_.end(), [&](const auto& one) { return filter(one.second); }));
}

std::optional<Places::Id> Places::oldest(const Filter& filter) const {
    const auto found =
        std::find_if(holders_.begin(), holders_.end(), [&](const auto& one) { return filter(one.second); });
    return found == holders_.end() ? std::nullopt : std::optional(found->first);
}

// The narrowest bound that is reached: one of its holders is one of every wider bound's.
std::optional<Places::Obstacle> Places::obstacle_of(const Claim& claim) const {
    const Filter all = [](const Holder&) {
        return true;
    };
    const Filter others = [](const Holder& holder) {
        return !holder.claim.admin;
    };
    const Filter admins = std::not_fn(others);
    const Filter of_user = [&claim](const Holder& holder) {
        return !holder.claim.admin && holder.claim.user == claim.user;
    };
    const Filter of_service = [&claim](const Holder& holder) {
        return !holder.claim.admin && holder.claim.service == claim.service;
    };
    if (claim.admin && count(admins) >= limits_.admins)
        return Obstacle{Bound::admins, admins};
    if (!claim.admin && count(of_service) >= limits_.per_service)
        return Obstacle{Bound::service, of_service};
    if (!claim.admin && count(of_user) >= limits_.per_user)
        return Obstacle{Bound::user, of_user};
    if (!claim.admin && count(others) >= limits_.others)
        return Obstacle{Bound::host, others};
    if (count(all) >= limits_.all)
        return Obstacle{Bound::host, all};
    return std::nullopt;
}

// Of those with more than one place. The newcomer counts as if it held one already, so that nobody takes from
// a user with fewer.
std::optional<std::string> Places::largest_user(const std::string& newcomer) const {
    std::map<std::string, std::size_t> held;
    for (const auto& [id, holder] : holders_)
        if (!holder.claim.admin)
            ++held[holder.claim.user];
    std::optional<std::string> largest;
    std::size_t most = 0;
    for (const auto& [user, places] : held) {
        const std::size_t counted = places + (user == newcomer ? 1 : 0);
        if (places < 2 || counted < most || (counted == most && user != newcomer))
            continue;
        largest = user;
        most = counted;
    }
    return largest;
}

std::optional<Places::Id> Places::victim_of(const std::string& user) const {
    std::map<std::string, std::size_t> held;
    for (const auto& [id, holder] : holders_)
        if (!holder.claim.admin && holder.claim.user == user)
            ++held[holder.claim.service];
    const auto largest = std::max_element(held.begin(), held.end(), [](const auto& one, const auto& other) {
        return one.second < other.second;
    });
    if (largest == held.end())
        return std::nullopt;
    return oldest([&](const Holder& holder) {
        return !holder.claim.admin && holder.claim.user == user && holder.claim.service == largest->first;
    });
}

Places::Decision Places::ask(Id id, Claim claim) {
    Decision decision;
    if (const auto obstacle = obstacle_of(claim)) {
        decision.evicted =
            oldest([&](const Holder& holder) { return holder.finished && obstacle->holders(holder); });
        const bool entitled =
            claim.admin || count([&claim](const Holder& holder) {
                               return !holder.claim.admin && holder.claim.service == claim.service;
                           }) == 0;
        if (!decision.evicted && entitled && obstacle->bound == Bound::user)
            decision.evicted = victim_of(claim.user);
        if (!decision.evicted && entitled && obstacle->bound == Bound::host)
            if (const auto user = largest_user(claim.admin ? std::string() : claim.user))
                decision.evicted = victim_of(*user);
        if (!decision.evicted)
            return {obstacle->bound, std::nullopt};
        holders_.erase(*decision.evicted);
    }
    holders_.emplace(id, Holder{std::move(claim)});
    return decision;
}

void Places::finished(Id id) {
    if (const auto found = holders_.find(id); found != holders_.end())
        found->second.finished = true;
}

void Places::ended(Id id) {
    holders_.erase(id);
}

} // namespace pgod::daemon

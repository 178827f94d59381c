#include "daemon/request_places.hpp"

#include <algorithm>
#include <utility>

namespace pgod::daemon {

namespace {

// Null: nobody. Of equals, the newcomer.
const std::string* largest_of(const std::map<std::string, std::size_t>& counts, const std::string& newcomer) {
    const auto rank = [&newcomer](const auto& one) {
        return std::pair(one.second, one.first == newcomer);
    };
    const auto found =
        std::max_element(counts.begin(), counts.end(),
                         [&rank](const auto& one, const auto& other) { return rank(one) < rank(other); });
    return found == counts.end() ? nullptr : &found->first;
}

} // namespace

std::size_t RequestPlaces::count(const Filter& filter) const {
    return static_cast<std::size_t>(
        std::count_if(holders_.begin(), holders_.end(), [&](const auto& one) { return filter(one.second); }));
}

std::optional<RequestPlaces::Id> RequestPlaces::oldest(const Filter& filter) const {
    const auto found =
        std::find_if(holders_.begin(), holders_.end(), [&](const auto& one) { return filter(one.second); });
    return found == holders_.end() ? std::nullopt : std::optional(found->first);
}

// The narrowest bound that is reached: one of its holders is one of every wider bound's.
std::optional<RequestPlaces::Obstacle> RequestPlaces::obstacle_of(const Claim& claim) const {
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

RequestPlaces::Counts RequestPlaces::by_user() const {
    Counts counts;
    for (const auto& [id, holder] : holders_)
        if (!holder.claim.admin)
            ++counts[holder.claim.user];
    return counts;
}

RequestPlaces::Counts RequestPlaces::by_service(const std::string& user) const {
    Counts counts;
    for (const auto& [id, holder] : holders_)
        if (!holder.claim.admin && holder.claim.user == user)
            ++counts[holder.claim.service];
    return counts;
}

std::optional<RequestPlaces::Id> RequestPlaces::victim_for(const Claim& claim, Bound bound) const {
    if (bound == Bound::service || bound == Bound::admins)
        return std::nullopt;
    auto users = by_user();
    if (!claim.admin)
        ++users[claim.user];
    const std::string* user = bound == Bound::user ? &claim.user : largest_of(users, claim.user);
    if (user == nullptr || users[*user] < 2)
        return std::nullopt;
    const bool is_own = !claim.admin && *user == claim.user;
    auto services = by_service(*user);
    if (is_own)
        ++services[claim.service];
    const std::string& service = *largest_of(services, claim.service);
    if (is_own && service == claim.service)
        return std::nullopt;
    return oldest([&](const Holder& holder) {
        return !holder.claim.admin && holder.claim.user == *user && holder.claim.service == service;
    });
}

RequestPlaces::Decision RequestPlaces::ask(Id id, Claim claim) {
    Decision decision;
    if (const auto obstacle = obstacle_of(claim)) {
        decision.evicted =
            oldest([&](const Holder& holder) { return holder.finished && obstacle->holders(holder); });
        if (!decision.evicted)
            decision.evicted = victim_for(claim, obstacle->bound);
        if (!decision.evicted)
            return {obstacle->bound, std::nullopt};
        holders_.erase(*decision.evicted);
    }
    holders_.emplace(id, Holder{std::move(claim)});
    return decision;
}

void RequestPlaces::finished(Id id) {
    if (const auto found = holders_.find(id); found != holders_.end())
        found->second.finished = true;
}

void RequestPlaces::ended(Id id) {
    holders_.erase(id);
}

} // namespace pgod::daemon

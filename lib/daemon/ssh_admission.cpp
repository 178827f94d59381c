#include "daemon/ssh_admission.hpp"

#include <algorithm>

namespace pgod::daemon {

namespace {

constexpr std::size_t network_bytes = 8; // of an IPv6 address

Address source_of(Address address) {
    if (address.v6)
        std::fill(address.bytes.begin() + network_bytes, address.bytes.end(), std::uint8_t{0});
    return address;
}

} // namespace

bool Admission::is_full() const noexcept {
    return strangers_.size() + kept_.size() >= limits_.max_connections ||
           strangers_.size() >= limits_.max_strangers;
}

Admission::Guests::const_iterator Admission::victim(const Address* newcomer) const {
    const auto places = [&](const Guest& stranger) {
        return std::count_if(strangers_.begin(), strangers_.end(),
                             [&](const Guest& other) { return other.from == stranger.from; }) +
               (newcomer != nullptr && stranger.from == *newcomer ? 1 : 0);
    };
    return std::max_element(
        strangers_.begin(), strangers_.end(), // the first of equals, which is the oldest
        [&](const Guest& one, const Guest& other) { return places(one) < places(other); });
}

Admission::Clock::time_point Admission::opens_at() const {
    if (!is_full() || strangers_.empty())
        return {};
    return victim(nullptr)->deadline - limits_.deadline + limits_.grace;
}

Admission::Place Admission::arrive(Id id, const Address& from, Clock::time_point now) {
    const Address source = source_of(from);
    Place place;
    if (is_full() && strangers_.empty())
        return Place{false, std::nullopt};
    if (is_full()) {
        const auto leaves = victim(&source);
        place.evicted = leaves->id;
        strangers_.erase(leaves);
    }
    strangers_.push_back({id, source, now + limits_.deadline});
    return place;
}

void Admission::keep(Id id) {
    move(id, strangers_, kept_);
}

void Admission::release(Id id, Clock::time_point now) {
    if (move(id, kept_, strangers_))
        strangers_.back().deadline = now + limits_.deadline;
}

void Admission::ended(Id id) {
    const auto is_it = [id](const Guest& guest) {
        return guest.id == id;
    };
    std::erase_if(strangers_, is_it);
    std::erase_if(kept_, is_it);
}

bool Admission::move(Id id, Guests& from, Guests& to) {
    const auto found =
        std::find_if(from.begin(), from.end(), [id](const Guest& guest) { return guest.id == id; });
    if (found == from.end())
        return false;
    to.push_back(*found);
    from.erase(found);
    return true;
}

std::optional<Admission::Id> Admission::overdue(Clock::time_point now) const {
    if (strangers_.empty() || strangers_.front().deadline > now)
        return std::nullopt;
    return strangers_.front().id;
}

std::optional<Admission::Clock::time_point> Admission::next_deadline() const {
    if (strangers_.empty())
        return std::nullopt;
    return strangers_.front().deadline;
}

} // namespace pgod::daemon

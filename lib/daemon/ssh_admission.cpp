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
    return strangers_.size() + authenticated_.size() >= limits_.max_connections ||
           strangers_.size() >= limits_.max_unauthenticated;
}

std::vector<Admission::Stranger>::const_iterator Admission::victim(const Address* newcomer) const {
    const auto places = [&](const Stranger& stranger) {
        return std::count_if(strangers_.begin(), strangers_.end(),
                             [&](const Stranger& other) { return other.from == stranger.from; }) +
               (newcomer != nullptr && stranger.from == *newcomer ? 1 : 0);
    };
    return std::max_element(
        strangers_.begin(), strangers_.end(), // the first of equals, which is the oldest
        [&](const Stranger& one, const Stranger& other) { return places(one) < places(other); });
}

Admission::Clock::time_point Admission::opens_at() const {
    if (!is_full() || strangers_.empty())
        return {};
    return victim(nullptr)->deadline - limits_.login_deadline + limits_.grace;
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
    strangers_.push_back({id, source, now + limits_.login_deadline});
    return place;
}

void Admission::authenticated(Id id) {
    if (std::erase_if(strangers_, [id](const Stranger& stranger) { return stranger.id == id; }) != 0)
        authenticated_.push_back(id);
}

void Admission::ended(Id id) {
    std::erase_if(strangers_, [id](const Stranger& stranger) { return stranger.id == id; });
    std::erase(authenticated_, id);
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

#include "daemon/ssh_admission.hpp"

#include <algorithm>

namespace pgod::daemon {

Admission::Place Admission::arrive(Id id, Clock::time_point now) {
    Place place;
    const bool full = strangers_.size() + authenticated_.size() >= limits_.max_connections;
    if (full && strangers_.empty())
        return Place{false, std::nullopt};
    if (full || strangers_.size() >= limits_.max_unauthenticated) {
        place.evicted = strangers_.front().id;
        strangers_.erase(strangers_.begin());
    }
    strangers_.push_back({id, now + limits_.login_deadline});
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

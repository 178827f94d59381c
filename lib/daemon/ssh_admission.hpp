// Admission: which connections pgod-ssh keeps. Pure: ids and times in, decisions out; the listener carries
// them out. The promise: somebody who shows no key can never keep out somebody who has one. So a full house
// of strangers costs one of them the place, and only a house full of authenticated clients turns away. It is
// the oldest stranger of the address that has most of them, the new one counted: who floods takes places from
// himself, and others finish their logins undisturbed. No address is refused for what it did before, since a
// good key may sit behind the same one. Nobody leaves within his first tenth of a second, which is enough for
// a login: until then new ones wait in the socket's queue, some 500 a second at most. Nothing is remembered
// of those who are gone.
#pragma once

#include "core/address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgod::daemon {

class Admission {
  public:
    using Clock = std::chrono::steady_clock;
    using Id = std::uint64_t; // given by the listener, ascending in order of arrival

    struct Limits {
        std::size_t max_connections = 64;
        std::size_t max_unauthenticated = 48;
        std::chrono::milliseconds login_deadline{10'000};
        std::chrono::milliseconds grace{100};
    };

    explicit Admission(Limits limits)
        : limits_(limits) {}

    struct Place {
        bool admitted = true;
        std::optional<Id> evicted; // a stranger, already forgotten here
    };
    // When a new one may come without costing another his grace; call arrive() no sooner.
    Clock::time_point opens_at() const;
    Place arrive(Id id, const Address& from, Clock::time_point now);
    void authenticated(Id id);
    void ended(Id id);

    // The first stranger whose login deadline has passed.
    std::optional<Id> overdue(Clock::time_point now) const;
    // When to ask again; nullopt: no stranger is there.
    std::optional<Clock::time_point> next_deadline() const;

  private:
    struct Stranger {
        Id id;
        Address from; // of IPv6 the network, which is one customer's
        Clock::time_point deadline;
    };
    bool is_full() const noexcept;
    std::vector<Stranger>::const_iterator victim(const Address* newcomer) const;

    Limits limits_;
    std::vector<Stranger> strangers_; // in order of arrival, at most max_unauthenticated
    std::vector<Id> authenticated_;
};

} // namespace pgod::daemon

// Admission: which connections pgod-ssh keeps. Pure: ids and times in, decisions out; the listener carries
// them out. The promise: a client without a request never keeps out a client that has one, whether or not it
// has logged in. Only the supervisor says that a request holds its place (`keep`), since it alone checked
// whose it is.
//
// A connection without a request is a stranger. When all places are taken, arrive() drops the oldest stranger
// of the address that has the most, the new one included: a flood evicts only its own connections. pgod
// refuses no address for what it did before, since a good key may sit behind the same one. A stranger stays
// for at least a tenth of a second, which is enough for a login and a request. Until then new ones wait in
// the socket's queue, some 500 a second at most. Nothing is remembered of connections that ended.
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
        std::size_t max_connections = 80;
        std::size_t max_strangers = 48;
        std::chrono::milliseconds deadline{20'000}; // for the login and the request together
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
    void keep(Id id); // its request holds a place
    // The supervisor took that place back. The connection may say goodbye, and yields like a stranger.
    void release(Id id, Clock::time_point now);
    void ended(Id id);

    // The first stranger whose deadline has passed.
    std::optional<Id> overdue(Clock::time_point now) const;
    // When to ask again; nullopt: no stranger is there.
    std::optional<Clock::time_point> next_deadline() const;

  private:
    struct Guest {
        Id id;
        Address from;               // of IPv6 the network, which is one customer's
        Clock::time_point deadline; // of a stranger
    };
    using Guests = std::vector<Guest>;
    bool is_full() const noexcept;
    static bool move(Id id, Guests& from, Guests& to); // false: it was not there
    Guests::const_iterator victim(const Address* newcomer) const;

    Limits limits_;
    Guests strangers_; // in order of arrival or release
    Guests kept_;
};

} // namespace pgod::daemon

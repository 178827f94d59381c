// RequestPlaces: which requests over SSH run at a time. Pure: claims in, decisions out. The supervisor asks
// once it has authorised a request, and carries the decision out (operations_places.cpp).
//
// A request holds a place until its client hangs up. Bounds per service and per Unix user keep a repository,
// however many keys it lists, from holding every place; some places are left to admins. When a bound is
// reached, a request that has ended yields to any other. Otherwise a newcomer takes the place of the largest
// holder: of the user with the most places the service with the most, of that the oldest. The newcomer counts
// as if it held one already, so nobody takes from a user, or within a user from a service, with fewer. No
// user loses the only place, and no admin a place that is in use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace pgod::daemon {

class RequestPlaces {
  public:
    using Id = std::uint64_t; // given by the caller, ascending in order of arrival

    struct Limits {
        std::size_t all = 64;
        std::size_t admins = 32;
        std::size_t others = 56; // all but admins
        std::size_t per_service = 32;
        std::size_t per_user = 40;
    };

    struct Claim {
        std::string service; // of an admin: not looked at
        std::string user;    // the Unix user of the service; of an admin: not looked at
        bool admin = false;
    };

    enum class Bound { service, user, admins, host };
    struct Decision {
        std::optional<Bound> refused_by{}; // none: it has a place
        std::optional<Id> evicted{};       // already forgotten here
    };

    explicit RequestPlaces(Limits limits)
        : limits_(limits) {}
    RequestPlaces()
        : RequestPlaces(Limits{}) {}

    Decision ask(Id id, Claim claim);
    void finished(Id id); // its client has its answer, and has not hung up yet
    void ended(Id id);

  private:
    struct Holder {
        Claim claim;
        bool finished = false;
    };
    using Filter = std::function<bool(const Holder&)>;
    using Counts = std::map<std::string, std::size_t>; // by user, or by service
    struct Obstacle {
        Bound bound;
        Filter holders; // one of these must go
    };
    std::size_t count(const Filter& filter) const;
    std::optional<Id> oldest(const Filter& filter) const;
    std::optional<Obstacle> obstacle_of(const Claim& claim) const;
    Counts by_user() const;
    Counts by_service(const std::string& user) const;
    std::optional<Id> victim_for(const Claim& claim, Bound bound) const;

    Limits limits_;
    std::map<Id, Holder> holders_;
};

} // namespace pgod::daemon

// Places: which requests over SSH run at a time. Pure: claims in, decisions out. The supervisor asks once it
// has authorised a request, and carries the decision out (operations_places.cpp).
//
// A request holds a place until its client hangs up. Bounds per service and per Unix user keep a repository,
// however many keys it lists, from holding every place; some places are left to admins. A request that has
// ended yields to any other. When no such one is in the way, an admin, or a service that holds nothing, takes
// a place from the user who holds the most: of that user's largest service the oldest. No user loses the only
// place, and no admin a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace pgod::daemon {

class Places {
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

    explicit Places(Limits limits)
        : limits_(limits) {}
    Places()
        : Places(Limits{}) {}

    Decision ask(Id id, Claim claim);
    void finished(Id id); // its client has its answer, and has not hung up yet
    void ended(Id id);

  private:
    struct Holder {
        Claim claim;
        bool finished = false;
    };
    using Filter = std::function<bool(const Holder&)>;
    struct Obstacle {
        Bound bound;
        Filter holders; // one of these must go
    };
    std::size_t count(const Filter& filter) const;
    std::optional<Id> oldest(const Filter& filter) const;
    std::optional<Obstacle> obstacle_of(const Claim& claim) const;
    std::optional<std::string> largest_user(const std::string& newcomer) const;
    std::optional<Id> victim_of(const std::string& user) const;

    Limits limits_;
    std::map<Id, Holder> holders_;
};

} // namespace pgod::daemon

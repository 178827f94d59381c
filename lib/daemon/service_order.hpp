// ServiceOrder: what services that come after others (`after`) have to know of those, and that they are asked
// again once it has changed. What it means is decided by core/reconcile_order. Runs in the supervisor, from
// the loop.
#pragma once

#include "core/reconcile.hpp"
#include "core/service.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/operations.hpp"
#include "daemon/places.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgod::daemon {

class ServiceOrder {
  public:
    ServiceOrder(EventLoop& loop, const Actors& actors, Places& places)
        : loop_(loop)
        , actors_(actors)
        , places_(places) {}

    void follow(const std::vector<Service>& services); // as they are configured now
    void look_at_others(const Service& service, reconcile::Settings& settings) const;
    void stirred(const std::string& service); // its state may have changed

  private:
    struct Seen {
        std::optional<reconcile::Passing> awaits, unsettled;
        std::optional<reconcile::Lasting> held_by;
        bool operator==(const Seen&) const = default;
    };
    Seen seen_of(const std::string& service) const;
    const reconcile::State* state_of(const std::string& service) const;
    void tell_those_after(const std::string& service);

    EventLoop& loop_;
    const Actors& actors_;
    Places& places_;
    std::map<std::string, Seen> followed_; // those that others come after
};

} // namespace pgod::daemon

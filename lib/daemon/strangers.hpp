// Strangers: the connections that ended without having asked for anything (no key, no known key, or no
// command), and those of users of this host who have no service, counted by address or user and minute, for a
// log of their own (refused.log): an attacker can neither fill the disk nor push out of the audit log who did
// what. Runs in the supervisor; pure but for the lines that it gives back.
#pragma once

#include "core/durable.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pgod::daemon {

class Strangers {
  public:
    static constexpr std::size_t max_addresses = 256; // in a minute; further ones are counted together

    // One that ended, from an address or "uid N", with the unknown keys that it offered.
    void note(const std::string& from, unsigned unknown_keys, reconcile::Time now);
    bool empty() const noexcept { return seen_.empty(); }
    // A JSON object and a newline for each address, most connections first; forgotten here.
    std::vector<std::string> take();

  private:
    struct Count {
        std::uint64_t connections = 0;
        std::uint64_t unknown_keys = 0;
    };
    std::map<std::string, Count> seen_;
    reconcile::Time since_{};
};

} // namespace pgod::daemon

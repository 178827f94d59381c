// Store: what the supervisor must remember, in DIR/state.db (SQLite, root only, 0600). Runs in the
// supervisor; nothing in it was parsed from a repository or the network: only pgod's own values.
//
// Durability: WAL with synchronous=FULL; a write is on disk when save() returns.
#pragma once

#include "base/result.hpp"
#include "core/durable.hpp"
#include "core/public_key.hpp"
#include "store/statement.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgod::store {

class Store {
  public:
    // Opens or makes the database. A corrupt one is kept aside as state.db.corrupt-TIME and a new one begun:
    // `set_aside` then names the file. A database of a newer pgod is refused (Code::permanent).
    static Result<Store> open(const std::string& directory);

    const std::string& set_aside() const noexcept { return set_aside_; }

    Result<std::optional<reconcile::Durable>> load(const std::string& service);
    Status save(const std::string& service, const reconcile::Durable& durable);

    // Every service that was ever served and not forgotten, with the user it belongs to.
    struct Known {
        std::string name;
        std::string user;
    };
    Status remember(const std::string& service, const std::string& user);
    Result<std::vector<Known>> known();
    Status forget(const std::string& service);

    // The keys of a service as its last sync found them: an upstream that cannot be reached at a start takes
    // nobody's key away.
    Result<std::vector<PublicKey>> load_keys(const std::string& service);
    Status save_keys(const std::string& service, const std::vector<PublicKey>& keys);

  private:
    explicit Store(Database database)
        : database_(std::move(database)) {}
    Result<Statement> prepare(const char* sql, const std::string& service);
    Status remove(const char* sql, const std::string& service); // the rows of a service; one parameter
    Result<std::vector<reconcile::Quarantined>> load_quarantine(const std::string& service);
    Status write_quarantine(const std::string& service,
                            const std::vector<reconcile::Quarantined>& quarantine);

    Database database_;
    std::string set_aside_;
};

} // namespace pgod::store

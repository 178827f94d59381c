// StateFile: state.db itself, open. What the tables hold, in and out; no policy about what to do when it
// cannot be read or written (store/store.hpp).
//
// Durability: WAL with synchronous=FULL; a write is on disk when write() returns. It waits a quarter of a
// second for somebody else's lock: the supervisor's one thread waits here.
#pragma once

#include "base/result.hpp"
#include "store/changes.hpp"
#include "store/statement.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgod::store {

struct Known {
    std::string name;
    std::string user;
};

class StateFile {
  public:
    // Makes it when it is missing, and brings an earlier format forward. Code::invalid: it is corrupt;
    // transient: locked, read-only, full, unreadable; permanent: a newer pgod wrote it.
    static Result<StateFile> open(const std::string& path);
    // For a file that cannot be written: as it is, nothing made and nothing brought forward.
    static Result<StateFile> open_to_read(const std::string& path);

    // All of it or nothing.
    Status write(const std::string& service, const Changes& changes);

    Result<std::vector<Known>> known();
    Result<std::optional<std::string>> user_of(const std::string& service);
    Result<std::optional<reconcile::Durable>> load(const std::string& service);
    Result<std::vector<PublicKey>> load_keys(const std::string& service);
    Result<std::vector<UrlClaim>> load_claims(const std::string& service);
    Result<std::vector<DeploymentRow>> deployments(const std::string& service); // newest first

  private:
    StateFile(Database database, std::string path);
    Status in_place() const;
    Result<Statement> prepare(const char* sql, const std::string& service);
    Status remove(const char* sql, const std::string& service); // the rows of a service; one parameter
    Result<std::vector<reconcile::Quarantined>> load_quarantine(const std::string& service);
    Status write_durable(const std::string& service, const reconcile::Durable& durable);
    Status write_quarantine(const std::string& service,
                            const std::vector<reconcile::Quarantined>& quarantine);
    Status write_user(const std::string& service, const std::string& user);
    Status write_keys(const std::string& service, const std::vector<PublicKey>& keys);
    Status write_claims(const std::string& service, const std::vector<UrlClaim>& claims);
    Status write_deployment(const std::string& service, const DeploymentRow& row);
    Status forget(const std::string& service);
    Status drop_old_deployments(const std::string& service);

    Database database_;
    std::string path_;
    std::uint64_t inode_ = 0;
};

} // namespace pgod::store

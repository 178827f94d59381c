// Store: what the supervisor must remember, in DIR/state.db (SQLite, root only, 0600). Runs in the
// supervisor; nothing in it was parsed from a repository or the network: only pgod's own values.
//
// Writing never fails for whoever writes: what the file does not take (locked, read-only, disk full) waits in
// memory and is written by try_again(). Bounds: the newest values of each service, and `max_deployments` of
// its rows. Until then a restart of pgod would not know it, so problems() says so. A corrupt file is kept
// aside, never deleted, what can be read from it is taken over, and a new one is begun.
#pragma once

#include "store/state_file.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgod::store {

class Store {
  public:
    // What is to be logged: trouble when it begins, and its end.
    using Say = std::function<void(bool problem, const std::string& sentence)>;

    Store(const std::string& directory, Say say);

    // Fails only for the file of a newer pgod (Code::permanent). Any other that cannot be opened is trouble.
    Status open();
    // After trouble: opens the file again and writes what waits. For a timer of a few seconds.
    void try_again();
    // Called when a new file was begun while services were served: all of them are to be written again.
    void on_new_file(std::function<void()> rewrite) { rewrite_ = std::move(rewrite); }

    // Sentences for `status`; empty: all is well.
    std::vector<std::string> problems() const;

    // Each fails when the file cannot be read.
    Result<std::optional<reconcile::Durable>> load(const std::string& service);
    // Every service that was ever served and not forgotten, with the user it belongs to.
    Result<std::vector<Known>> known();
    Result<std::optional<std::string>> user_of(const std::string& service); // as known() says
    // The keys of a service as its last sync found them: an upstream that cannot be reached at a start takes
    // nobody's key away.
    Result<std::vector<PublicKey>> load_keys(const std::string& service);
    Result<std::vector<DeploymentRow>> deployments(const std::string& service); // newest first

    // The DNS names that what runs of a service asks for.
    Result<std::vector<UrlClaim>> load_claims(const std::string& service);

    void remember(const std::string& service, const std::string& user);
    void save(const std::string& service, const reconcile::Durable& durable);
    void save_keys(const std::string& service, const std::vector<PublicKey>& keys);
    void save_claims(const std::string& service, const std::vector<UrlClaim>& claims);
    void save_deployment(const std::string& service,
                         const DeploymentRow& row); // takes the place of its number
    void forget(const std::string& service);        // all but its deployments

  private:
    void write();
    Status write_waiting();
    Status open_file();
    Result<std::string> move_aside(const Error& damage); // to where
    void take_over(const std::string& aside);
    bool take_over(StateFile& old, const std::string& service, const std::string& user);
    void in_trouble(const Error& error);
    Result<StateFile*> file();

    std::string path_;
    Say say_;
    std::function<void()> rewrite_;
    std::optional<StateFile> file_;
    std::map<std::string, Changes> waiting_;
    std::string trouble_;            // why the file cannot be written now
    std::vector<std::string> aside_; // corrupt files that lie beside it
};

} // namespace pgod::store

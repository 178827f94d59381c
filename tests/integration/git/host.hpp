// A host for one test: an upstream, a service's directory and its user, and a pgod-git that serves it.
//
// As root, the service's user is another uid, so that every test crosses the privilege drop; as an ordinary
// user it is oneself, which is how pgod runs without root.
#pragma once

#include "pgod_git.hpp"
#include "servers.hpp"

#include "../../unit/git/fixture.hpp"

#include <memory>

namespace pgod::test {

class Host {
  public:
    Host();

    PgodGit& pgod_git();
    void trust(const std::filesystem::path& certificates); // before the first use of pgod_git()
    ipc::GitJob sync_job(const std::string& url) const;
    ipc::GitJob export_job(const std::string& commit) const;
    Outcome sync(const std::string& url) { return pgod_git().run(sync_job(url)); }
    std::string another_service() const;                        // a second directory of the same user
    void give_to_user(const std::filesystem::path& path) const; // with what is below
    // The service's directory and pgod-git's log, as one text.
    std::string all_that_was_written() const;

    Fixture files;
    Identity user;
    std::filesystem::path home;
    std::filesystem::path log;
    std::chrono::milliseconds deadline{patience};

  private:
    std::vector<std::string> env_{"PATH=/usr/bin:/bin"};
    std::unique_ptr<PgodGit> pgod_git_;
};

} // namespace pgod::test

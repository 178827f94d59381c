// Upstream: one connection to the server that holds a service's repository. Every error is one sentence that
// names the redacted URL; the classes are those of failure.hpp, and `timeout`, `permanent` (too large).
#pragma once

#include "git/credentials.hpp"
#include "git/handles.hpp"
#include "git/source.hpp"

#include <string>

namespace pgod::git {

// Where the upstream branch is kept in the local repository.
std::string local_ref_of(const std::string& branch);

class Upstream {
  public:
    // Both must outlive it; what is fetched goes into the repository.
    Upstream(git_repository* repository, const Source& source);
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;

    // Connects and asks for the branch's tip; fetches nothing. Code::gone: the branch does not exist.
    Result<std::string> tip();
    // The branch with its history, without tags, over the same connection.
    Status fetch();

  private:
    Status connect();
    Error failure(int rc) const;
    git_remote_callbacks callbacks();
    int on_progress(const git_indexer_progress& progress);

    git_repository* repository_;
    const Source& source_;
    Credentials credentials_;
    Remote remote_;
    bool too_large_ = false;
};

} // namespace pgod::git

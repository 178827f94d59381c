// libgit2's process-wide settings, made once before the first job, by the parent that forks the jobs: what is
// cached here must not depend on who the process is, because the jobs become other users.
#pragma once

#include "base/result.hpp"

#include <string>

namespace pgod::git {

// Initialises libgit2 and our streams (stream.hpp). Call once, before any other function of this folder.
Status start_library();

// In a job, once it is its user: where libgit2 looks for this user's files. libgit2 1.7 and later look in the
// home that start_library() saw, and refuse every ssh upstream when they may not read it.
Status enter_home(const std::string& home);

// While it lives, libgit2 opens repositories that belong to somebody else.
//
// Only for the connection to a `file` upstream: a central repository on this disk (/srv/git/x.git, owned by
// "git") is what a sysadmin points a service at. The owner check exists because a foreign repository's
// configuration can make git run commands; libgit2 runs none, reads no configuration but that repository's
// own (all search paths are empty), and the job already is the service's user, who may only read what the
// file modes allow. Our own repository's owner is checked all the same, in local.cpp.
class ForeignOwnerAllowed {
  public:
    explicit ForeignOwnerAllowed(bool allowed) noexcept;
    ~ForeignOwnerAllowed();
    ForeignOwnerAllowed(const ForeignOwnerAllowed&) = delete;
    ForeignOwnerAllowed& operator=(const ForeignOwnerAllowed&) = delete;

  private:
    bool allowed_;
};

} // namespace pgod::git

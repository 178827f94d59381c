// The local bare repository of a service, `repo.git` beneath its directory: opened, judged, made anew, kept
// small. Runs as the service's user, who owns it. It holds one branch and its history, nothing else.
#pragma once

#include "git/handles.hpp"

#include "base/fd.hpp"
#include "base/result.hpp"

#include <string>

namespace pgod::git {

inline constexpr const char* repository_name = "repo.git";

// One job at a time works on a service's repository. They are not started together; but a job of a pgod that
// was killed may be in its last moment when its successor begins. Waits; the lock goes with the descriptor.
Result<Fd> lock_repository(int directory);

struct Local {
    Repository repository; // null: there is none that could be opened
    std::string tip;       // of the branch, read and found; empty: none
    std::string damage;    // not empty: why it has to be made anew
};

// Looks at the reference, the commit and its tree; what it cannot read is damage, not an error.
// Code::denied: it belongs to somebody else.
Result<Local> open_local(const std::string& directory, const std::string& branch);

// A new, empty one under this name; it becomes `repo.git` by replace_directory().
Result<Repository> create_bare(const std::string& directory, const std::string& name);

// The commit id that a reference of this repository points to; empty: no such reference.
Result<std::string> read_ref(git_repository* repository, const std::string& name);
Result<Commit> find_commit(git_repository* repository, const std::string& id);

// An export that could not read an object leaves a mark, and the next sync makes the repository anew.
void mark_damaged(const std::string& directory);

} // namespace pgod::git

// A commit that an operator names: by its first digits, and only if the branch that is followed has it, so
// that nobody brings up what was never merged. Runs as the service's user.
#pragma once

#include "git/handles.hpp"

#include "base/result.hpp"
#include "core/sync.hpp"

#include <string>

namespace pgod::git {

// Code::gone: there is none, it is not on the branch as it was fetched, or several begin like it.
Result<Commit> find_on_branch(git_repository* repository, const std::string& branch,
                              const std::string& digits);

// Whether `top` is the commit that is named or came after it, and whether `serving`, a commit's whole id, is.
// What it is not is no error, but said in NamedCommit::refused.
Result<NamedCommit> judge_named(git_repository* repository, const Commit& top, const std::string& digits,
                                const std::string& serving);

} // namespace pgod::git

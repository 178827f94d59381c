// A commit that an operator names: by its first digits, and only if the branch that is followed has it, so
// that nobody brings up what was never merged. Runs as the service's user.
#pragma once

#include "git/handles.hpp"

#include "base/result.hpp"

#include <string>

namespace pgod::git {

// Code::gone: there is none, it is not on the branch as it was fetched, or several begin like it.
Result<Commit> find_on_branch(git_repository* repository, const std::string& branch,
                              const std::string& digits);

} // namespace pgod::git

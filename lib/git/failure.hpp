// The one place where libgit2's errors become ours. Raw codes and libgit2's own texts do not leave lib/git.
//
// Classes: transient (network, time), denied (credentials, host keys, certificates), gone (not there),
// internal (the local store is damaged: what reads it next may rebuild it), invalid, permanent.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace pgod::git {

// For a callback of libgit2 that fails: what git_failure() will find.
void set_git_error(int klass, const std::string& sentence);

// What libgit2's last call failed with, as "doing: detail". The detail may carry text of a server: it is
// escaped, shortened, and anything that looks like the user part of a URL is taken out.
Error git_failure(int rc, std::string_view doing);

} // namespace pgod::git

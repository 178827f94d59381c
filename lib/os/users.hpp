// Unix users: looked up in the supervisor, before any fork, and asked for again before each process that
// becomes one, because a user may be deleted and made anew while pgod runs.
#pragma once

#include "base/identity.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod::os {

// Code::gone: no such user. Code::denied: uid 0, which is never served.
Result<Identity> find_user(const std::string& name);
Identity current_user(); // of this process

// The user's name still stands for this uid; Code::transient when it does not, or nobody can say.
Status confirm_user(const Identity& user);

// The environment that everything run for this user starts from: HOME, USER, LOGNAME, PATH, LANG,
// XDG_RUNTIME_DIR and, where it exists, the user's bus. Nothing of ours is inherited.
std::vector<std::string> user_environment(const Identity& user);

bool systemd_runs(); // as this host's first process

// /run/user/UID, made (0700, owned by the user) only where no systemd runs and it is missing. Needs root for
// that.
Status ensure_runtime_directory(const Identity& user);

// The program's absolute path in the fixed PATH of user_environment().
Result<std::string> find_program(std::string_view name);

} // namespace pgod::os

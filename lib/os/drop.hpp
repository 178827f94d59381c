// The one function that gives up privileges: setgroups, setresgid, setresuid in this order, then it re-reads
// the ids and tries to get root back, and fails when it can (OpenSSH's permanently_set_uid).
// Async-signal-safe: it runs between fork and exec.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace pgod::os {

// "refuse root" or "refuse the root group" (errno is EPERM) for what is never become, or null.
const char* refuse_root(uid_t uid, gid_t gid, const gid_t* groups, std::size_t group_count) noexcept;

// The step that failed, or null; errno says why. Refuses root first.
const char* drop_privileges(uid_t uid, gid_t gid, const gid_t* groups, std::size_t group_count) noexcept;

} // namespace pgod::os

#include "os/drop.hpp"

#include <grp.h>
#include <unistd.h>

#include <cerrno>

namespace pgod::os {

const char* refuse_root(uid_t uid, gid_t gid, const gid_t* groups, std::size_t group_count) noexcept {
    if (uid == 0 || gid == 0 || uid == static_cast<uid_t>(-1) || gid == static_cast<gid_t>(-1)) {
        errno = EPERM;
        return "refuse root";
    }
    for (std::size_t i = 0; i < group_count; ++i) {
        if (groups[i] == 0) {
            errno = EPERM;
            return "refuse the root group";
        }
    }
    return nullptr;
}

const char* drop_privileges(uid_t uid, gid_t gid, const gid_t* groups, std::size_t group_count) noexcept {
    if (const char* refused = refuse_root(uid, gid, groups, group_count); refused != nullptr)
        return refused;
    if (::setgroups(group_count, groups) != 0)
        return "setgroups";
    if (::setresgid(gid, gid, gid) != 0)
        return "setresgid";
    if (::setresuid(uid, uid, uid) != 0)
        return "setresuid";
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    gid_t real_group = 0;
    gid_t effective_group = 0;
    gid_t saved_group = 0;
    if (::getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid || saved != uid)
        return "verify the user id";
    if (::getresgid(&real_group, &effective_group, &saved_group) != 0 || real_group != gid ||
        effective_group != gid || saved_group != gid)
        return "verify the group id";
    if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0) {
        errno = EPERM;
        return "verify that root is gone";
    }
    return nullptr;
}

} // namespace pgod::os

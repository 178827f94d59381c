// Who a child process becomes. Resolved once, before any fork; a child only applies it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pgod {

struct Identity {
    std::string name;
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1);
    std::vector<gid_t> groups; // supplementary, as getgrouplist(3) gives them
    std::string home;
};

} // namespace pgod

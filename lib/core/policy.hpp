// Policy: what a repository's plan may contain, as a list of what is allowed. Pure; the part that must look
// at the file system (where a bind source leads) is compose/binds.hpp, run as the user before anything goes
// down and again before each container is made.
#pragma once

#include "core/plan.hpp"
#include "core/service.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pgod {

struct PolicyGrants {
    std::string stage;                           // absolute: where podman-compose read the commit
    std::optional<std::vector<PortRange>> ports; // absent: any host port
    std::vector<std::string> volumes;            // absolute host directories, and names of podman volumes
    std::vector<std::string> networks;           // podman networks that may be joined
    std::vector<std::string> allow;              // words of core/allowance.hpp
    std::string state = {};                      // pgod's own directory; empty: not known here
    std::string home = {};                       // of the service's user
    std::vector<std::string> neighbours = {};    // other services of that user: core/object_names.hpp
    std::set<std::string> files = {};            // sources of nested binds that are files of the commit
};

// What the compose file calls things that are not the service's own; for sentences alone.
struct WrittenNames {
    std::map<std::string, std::string> binds;    // source → as the file writes it
    std::map<std::string, std::string> volumes;  // podman's name → the file's
    std::map<std::string, std::string> networks; // likewise
};

std::vector<Violation> judge(const Plan& plan, const PolicyGrants& grants, const WrittenNames& written = {});

} // namespace pgod

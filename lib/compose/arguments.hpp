// The podman argv of a planned container, a planned build. Pure: what was judged is written anew, with pgod's
// labels last, the image by its id, bind sources where they were resolved to, and environment values out of
// the argv, which every user of the host can read in /proc.
#pragma once

#include "compose/host_limits.hpp"
#include "compose/secrets.hpp"
#include "core/plan.hpp"

#include <map>
#include <string>
#include <string_view>

namespace pgod::compose {

struct RunSettings {
    std::string service; // pgod's
    std::string deployment;
    std::string commit;
    std::string image_id;
    std::string env_file;                     // where podman will find RunCall::environment
    std::map<std::string, std::string> paths; // bind source or env file of the plan → where it is
    const Secrets& secrets;
    std::map<std::string, std::string> memory_files = {}; // target in the container → where it is
    HostLimits limits = {};                               // of nothing: values stay as they are
    std::string host_gateway = {};                        // compose/host_gateway.hpp; empty: stays
};

struct RunCall {
    Argv arguments;
    std::string environment; // the env file's text, secrets included; empty: none is needed
};

RunCall run_call(const PlannedContainer& container, const RunSettings& settings);
Argv build_call(const PlannedBuild& build, const std::string& tag, const std::string& host_gateway = {});

} // namespace pgod::compose

// The self-test of a podman-compose whose plans no test of ours has compared (core/compose_version.hpp): a
// built-in commit is translated, and has to give the plan that the versions we know give. It holds what a
// version has got wrong before: a link of the commit as a bind's source, network_mode none beside networks, a
// network that nobody uses, volumes, x-pgo, an env_file and a .env with a name of the admin's, replicas, a
// build, a healthcheck in words.
//
// Runs as the service's user and leaves nothing behind: its files are in a directory of its own under /tmp,
// for as long as it runs.
#pragma once

#include "base/result.hpp"
#include "core/plan.hpp"

#include <string>
#include <vector>

namespace pgod::compose {

// `environment` is the user's. Code::transient, one sentence, when the host's podman-compose fails it.
Status self_test(const std::vector<std::string>& environment);

// The plan that has to come out; `stage` is where the built-in commit is.
Plan plan_of_self_test(const std::string& stage);

} // namespace pgod::compose

// The self-test of a podman-compose whose plans no test of ours has compared (core/compose_version.hpp): a
// built-in commit is translated, and has to give the plan that the versions we know give (self_test/). It
// holds every key that podman-compose is handed and every form that a version has got wrong before.
//
// Runs as the service's user and leaves nothing behind: its files are in a directory of its own under /tmp,
// for as long as it runs. If it is killed, the user's next one removes them.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace pgod::compose {

// `environment` is the user's. Code::transient, one sentence, whatever fails: there is no commit to blame.
Status self_test(const std::vector<std::string>& environment);

} // namespace pgod::compose

// `pgod-work --read`: shows a person, or a test, how pgod reads the compose files of a directory. The reader
// runs as in a deployment, isolated and under the same limits, as the user who started it; podman-compose is
// not needed. It refuses root.
#pragma once

#include <string>

namespace pgod::compose {

// Prints the model as JSON, and all sentences to stderr. The exit status: 0, or 1 when there is no model.
int read_directory(const std::string& directory, const std::string& project);

} // namespace pgod::compose

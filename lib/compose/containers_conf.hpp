// containers.conf(5): what may change how podman runs containers on this host. Runs in the worker, as the
// service's user, who may have written the first of the files.
#pragma once

#include <string>
#include <vector>

namespace pgod::compose {

// The files that there are, at most 1 MiB each: the user's, then root's, then the distribution's. The first
// one that has a setting decides it. The drop-ins of containers.conf.d are not read.
std::vector<std::string> containers_conf(const std::string& home);

} // namespace pgod::compose

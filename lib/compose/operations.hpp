// Operations on what runs, straight through podman and by pgod's label: podman-compose is not asked, and the
// statuses are podman's own. Those that change something take the service's lock.
#pragma once

#include "compose/job.hpp"

namespace pgod::compose {

JobResult take_down(const Work& work); // containers and networks; volumes stay

enum class Verb { start, stop, restart };
JobResult change_state(const Work& work, Verb verb); // job.args: compose services, none for all

JobResult list_containers(const Work& work); // `ps`

// Containers of the named compose services, all for none. Code::invalid names the known ones.
Result<std::vector<Container>> select_containers(const Work& work, const std::vector<std::string>& services);

} // namespace pgod::compose

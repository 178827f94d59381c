// Carries out what core/nested_binds.hpp decides, when a container is made. A bind that repeats what the
// outer one shows is left out. A read-only file of the commit is mounted from a copy in the service's
// directory, mounted/CONTAINER/DEPLOYMENT-NUMBER, which no container reaches; it stays there as long as a
// container has it, because podman mounts it again at each start. Run as the service's user.
#pragma once

#include "compose/job.hpp"
#include "compose/record.hpp"

#include <set>
#include <string>

namespace pgod::compose {

// Sources of nested binds that are files in this directory of the service, such as "stage".
std::set<std::string> nested_files(const Work& work, const Plan& plan, const std::string& files);

void note_copies(const Work& work, const Plan& plan); // a sentence each, for a commit in the stage

// The container of the record with nested binds settled. `image` is its id: podman would put a volume of the
// image where a bind is left out.
Result<PlannedContainer> with_nested_binds(const Work& work, const Record& record, PlannedContainer container,
                                           const std::string& release, const std::string& image);

bool is_copy(const Work& work, const std::string& source);
// Those that no container mounts. None, unless podman tells of every container of the service.
void remove_unused_copies(const Work& work);

} // namespace pgod::compose

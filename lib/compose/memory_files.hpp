// Memory files: secrets and configs of a compose file whose contents are a text or a value of the admin. They
// are in the user's runtime directory, which is in memory: $XDG_RUNTIME_DIR/pgod/SERVICE/CONTAINER/NUMBER, in
// directories that only the user may enter. podman mounts them read-only, and its store holds their paths
// alone. Beside each is a copy that the user may read, which says what the container has. A reboot empties
// the directory: so they are written before a container is made, and again before it is started where they
// are missing.
#pragma once

#include "compose/container.hpp"
#include "compose/job.hpp"
#include "core/findings.hpp"
#include "core/plan.hpp"

#include <map>
#include <span>
#include <string>

namespace pgod::compose {

// Every value that a file needs is there.
void check_memory_files(const Plan& plan, const SecretValues& values, Findings& findings);

// Before the container is made of that image. Target in the container → path on the host.
Result<std::map<std::string, std::string>> write_memory_files(const Work& work,
                                                              const PlannedContainer& container,
                                                              const std::string& image_id,
                                                              const SecretValues& values);

// Before podman starts a container of the running release: writes those that are missing or hold an older
// value, and removes their copies. A file stays as it is when the admin no longer gives its value and none
// was kept. true: it wrote them, and note_memory_files() follows once the container has started.
Result<bool> restore_memory_files(const Work& work, const PlannedContainer& container,
                                  const std::string& image_id);
Status note_memory_files(const Work& work, const PlannedContainer& container);

// Running containers, by name, that have another value than now, or whose file is gone → the target.
std::map<std::string, std::string> changed_memory_files(const Work& work, const Plan& plan,
                                                        std::span<const Container> seen);

// Best effort: they end with the user's session as well.
void remove_memory_files(const Work& work, const std::string& container);
void remove_memory_files(const Work& work); // of the whole service

} // namespace pgod::compose

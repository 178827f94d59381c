// Directories that are made beside their place and then take it by one rename: `NAME.new` becomes `NAME`.
// What a killed job left behind is put right before the next one begins. All names are single components
// beneath `directory`, the service's directory, which belongs to the user the job runs as.
#pragma once

#include "base/result.hpp"

#include <string>

namespace pgod::git {

std::string fresh_name_of(const std::string& name); // NAME.new

// At no moment is there neither the old nor the new under `name` or `name.old`.
Status replace_directory(int directory, const std::string& name);

// Takes NAME.new and NAME.old away; a NAME that is missing comes back from NAME.old first.
Status clear_leftovers(int directory, const std::string& name);

// Lock files and half-written packs in the bare repository `name`. The caller holds its lock.
void clear_repository_leftovers(int directory, const std::string& name);

} // namespace pgod::git

// Labels of a plan. podman-compose finds its containers, volumes and networks by its own labels and puts them
// after the repository's; a repository may neither set those nor pgod's, nor such as make podman start
// things.
#pragma once

#include "core/findings.hpp"
#include "core/plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct OwnLabels {
    std::string service;   // com.docker.compose.service
    std::string directory; // com.docker.compose.project.working_dir
};

// podman-compose's own, the last of each.
OwnLabels own_labels(const std::vector<std::string>& labels);

// The labels to keep. What is not allowed goes to `findings` for `service`, under the setting "labels".
std::vector<std::string> judged_labels(const std::vector<std::string>& labels, const std::string& project,
                                       const std::string& service, Findings& findings);

} // namespace pgod

// Recording: podman-compose compiles a commit into podman calls, and none of them is run. It is started by
// the embedded shim (shim.py) in an isolated Python, as the service's user, under limits on memory, CPU,
// time, files and output; it reads the stage and nothing else, and its "podman" is the recorder pgod-podman.
//
// Only `up -d` is recorded: it asks for every build, volume, network and container. What must be pulled is
// what the containers run and no build makes, and what must be removed is found by label, so recordings of
// `pull`, `build` and `down` would say nothing that the plan does not.
#pragma once

#include "base/result.hpp"
#include "core/plan.hpp"
#include "core/policy_nested.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct RecordingRequest {
    std::string stage;             // absolute, without links: where the commit was exported
    std::string compose_file;      // relative to the stage
    std::string project;           // podman-compose's -p: the service's name
    std::string recorder;          // absolute path of pgod-podman
    std::string podman_version;    // what `podman --version` prints
    std::string scratch_directory; // private to the user: where the recorded calls are kept for the moment
    std::vector<std::string> environment;       // of the user
    std::vector<std::string> admin_environment; // NAME=value; they win over the repository's .env
};

struct Recording {
    std::vector<Argv> calls;
    Model model;
    std::vector<NestedKey> nested;  // keys within the settings of the model
    std::vector<std::string> files; // relative to the stage, sorted: what podman-compose opened there
    std::vector<std::string> notes; // what podman-compose takes otherwise than its author may think
};

// Code::permanent when the commit is at fault: the message names the file and, where it is known, the line.
Result<Recording> record_calls(const RecordingRequest& request);

// The two formats, apart from the processes that write them.
Result<std::vector<Argv>> parse_calls(std::string_view bytes);                   // pgod-podman's
Result<Recording> parse_shim_result(std::string_view json);                      // shim.py's; without calls
Result<std::string> find_compose_file(int stage, const std::string* configured); // the contract's four names

} // namespace pgod::compose

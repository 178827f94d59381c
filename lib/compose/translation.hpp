// Translation: podman-compose compiles a commit into podman calls, and none of them is run. Its own functions
// are called by the translator (translator/*.py, embedded) in an isolated Python, as the service's user,
// under limits on memory, CPU, time, processes, files and output. The reader of the Compose specification
// (reader/*.py, embedded too) reads the commit there and hands them its model. They read the stage and
// nothing else, and start no program.
//
// The calls are every build, volume, network and container. What must be pulled is what the containers run
// and no build makes, and what must be removed is found by label.
#pragma once

#include "base/result.hpp"
#include "core/places.hpp"
#include "core/plan.hpp"
#include "core/policy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct TranslationRequest {
    std::string stage;                           // absolute, without links: where the commit was exported
    std::string compose_file;                    // relative to the stage; the first one of several
    std::string project;                         // podman-compose's -p: the service's name
    std::vector<std::string> environment;        // of the user
    std::vector<std::string> admin_environment;  // NAME=value; they win over the repository's .env
    std::vector<std::string> admin_secrets = {}; // names of those that the admin gives in files
    std::vector<std::string> compose_files = {}; // as the admin names them: no other stands beside them
    std::vector<std::string> profiles = {};      // of services that run besides those without a profile
    bool show = false;                           // see show_reading()
};

struct Translation {
    std::string version; // of podman-compose
    std::vector<Argv> calls;
    Model model;
    std::vector<std::string> files; // relative to the stage, sorted: what was read there
    WrittenNames written;
    std::vector<std::string> notes; // what has no effect, or another one than its author may think
    std::vector<Violation> reasons; // why the commit is refused already
    Places places;
    bool is_complete = false; // otherwise there are reasons, and nothing of the above but notes
};

// Code::permanent when the commit is at fault and nobody can say more than one sentence, such as of a file
// that takes too long to read. Code::transient when the host is: also of a podman-compose that cannot be
// loaded, that is too old, or that no test of ours has compared and that fails the self-test, however it
// fails and whatever it said of the commit.
Result<Translation> translate(const TranslationRequest& request);

// The translator's answer (translator/protocol.py), apart from the process that writes it.
struct Answer {
    std::string version; // said before the commit is read; empty: podman-compose could not be loaded
    Result<Translation> translation;
};
Answer parse_answer(std::string_view json);

// The answer whatever the version: what the self-test itself looks at. How the translator ended when it could
// not say it is the answer's error, so that its version is known then, too.
Result<Answer> ask_translator(const TranslationRequest& request);

// The reader's model for a person, as JSON; empty when there is none. `said` has the sentences.
struct Shown {
    std::string model;
    std::vector<std::string> said;
};
Result<Shown> show_reading(TranslationRequest request);

// The file that messages name: the first one that the admin names, or else of the contract's four names the
// first one that is there. Whether it is there, the translator says.
std::string find_compose_file(int stage, const std::vector<std::string>& configured);

} // namespace pgod::compose

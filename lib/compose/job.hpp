// What the worker is asked to do and how it ended, in this folder's own words (daemon/work_role translates
// the frames), and Work: what every step of a job needs at hand.
#pragma once

#include "base/result.hpp"
#include "compose/output.hpp"
#include "compose/podman.hpp"
#include "compose/secrets.hpp"
#include "compose/service_directory.hpp"
#include "core/service.hpp"
#include "core/stop_grace.hpp"
#include "core/url_claims.hpp"
#include "core/vocabulary.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgod::compose {

struct Job {
    std::string service;
    std::string commit; // of the stage
    std::uint64_t deployment = 0;
    bool force = false;
    bool json = false;
    bool follow = false;                    // log: until the deployment ends
    std::vector<std::string> compose_files; // as the admin names them, or none
    std::vector<std::string> profiles;
    std::vector<std::string> env; // the admin's, NAME=value
    Secrets secrets;              // …and those of his env_file
    Secrets secret_files;         // those of `secrets`, whole files
    int registry_auth = -1;       // an open file for podman's REGISTRY_AUTH_FILE; -1: the user's own counts
    std::optional<std::vector<PortRange>> ports;
    std::vector<std::string> volumes;
    std::vector<std::string> networks;
    std::vector<std::string> allow;
    std::vector<std::string> domains; // as UrlGrants, like the following
    std::vector<std::string> taken;
    std::vector<std::string> neighbours; // core/object_names.hpp
    std::vector<std::string> nesting;    // …and those of them that have nested-binds
    std::chrono::milliseconds start_timeout{std::chrono::seconds{60}};
    std::vector<std::string> args;
    std::string terminal; // TERM, when our standard streams are the client's terminal
    std::chrono::steady_clock::time_point deadline;
    std::string builder;                  // absolute path of pgod-build
    std::vector<std::string> environment; // of the user
};

struct JobResult {
    int exit_status = 70;
    bool changed = false;
    std::optional<Outcome> outcome;
    std::optional<Error> error;
    std::string running_commit;
    std::uint64_t deployment = 0; // the number of the one that made what runs
    Health health = Health::unknown;
    std::vector<std::string> containers; // "SERVICE STATE"
    std::vector<UrlClaim> urls;          // of what runs
    std::vector<std::string> notes; // …and what of its files has no effect, or another one than it seems
};

// A switch with all its deadlines, and the way back: the end of containers, podman's removal, starts,
// healthchecks. Nothing that takes a running version down begins with less time left, and what comes before
// leaves it.
inline std::chrono::milliseconds time_to_switch(const Job& job) {
    return std::chrono::minutes{4} + stops_of_a_switch + 2 * job.start_timeout;
}

struct Work {
    const Job& job;
    const ServiceDirectory& directory;
    const Podman& podman;
    Output& output;
    std::function<void(std::string_view step)> progress;
    std::function<Status()> gate = {}; // see pass_gate()
};

// A deployment calls this before it changes anything that runs or its files, the first time and later ones.
// It waits until the supervisor lets it, which may cancel the deployment until then. Code::transient: too
// little time is left.
inline Status pass_gate(const Work& work) {
    return work.gate ? work.gate() : ok();
}

} // namespace pgod::compose

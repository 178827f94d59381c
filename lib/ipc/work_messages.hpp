// Supervisor ↔ pgod-work, one process per deployment or operation, as the service's user. The worker gets one
// WorkJob in a sealed file, with its standard output and error already where the client or the log reads
// them, and writes Progress at each step and one WorkDone before it exits. What it needs to outlive the
// supervisor it keeps in the service's directory.
#pragma once

#include "core/vocabulary.hpp"
#include "ipc/codec.hpp"

namespace pgod::ipc {

// What a worker is started for.
enum class WorkKind : std::uint8_t {
    deploy, // make the exported commit the one that runs, if it differs or is not healthy
    pull,   // pull the images of the exported commit
    build,  // build the images of the exported commit
    down,   // stop and remove the service's containers
    start,  // …what runs now, or the named compose services
    stop,
    restart,
    ps,
    logs,
    exec,     // a command in a running container; stdin is the client's
    log,      // print what the deployment of that number said, and with `follow` goes on to say
    observe,  // look at the containers and the record; says nothing on stdout
    rollback, // make a kept release the one that runs. args: a deployment's number or a commit's first
              // digits, none: the newest kept; deployment: the number of this attempt
    plan,     // what would the exported commit change? args as for check
    check,    // would the exported commit be accepted? args: perhaps the commit that is meant
    heal,     // mend what ended, is missing or was replaced, by the record
    survey,   // look at several services of one user, named in `args`; `directory` holds theirs
    examine,  // does podman work for this user? Says Examined for each check
};
constexpr WorkKind last_of(WorkKind) {
    return WorkKind::examine;
}

struct WorkJob {
    WorkKind kind = WorkKind::observe;
    std::string service;
    std::string directory; // the service's directory, absolute
    std::string commit;    // deploy, pull, build, plan, check: the commit that was exported to `stage`
    std::uint64_t deployment = 0;
    bool wait = false;   // observe: first wait for whoever works on the service
    bool force = false;  // deploy even when the same commit runs and looks healthy
    bool client = false; // somebody reads stdout and stderr
    bool json = false;
    bool follow = false;              // log
    std::vector<std::string> compose; // files, relative to the commit
    std::vector<std::string> profiles;
    std::vector<std::string> env;
    std::optional<std::vector<PortRange>> ports;
    std::vector<std::string> volumes;
    std::vector<std::string> networks;
    std::vector<std::string> allow;
    std::vector<std::string> domains;    // names that x-pgo may ask for
    std::vector<std::string> taken;      // …but for these, which others hold
    std::vector<std::string> neighbours; // core/object_names.hpp
    std::vector<std::string> nesting;    // …and those of them that have nested-binds
    std::vector<std::string> args;
    std::chrono::milliseconds start_timeout{0};
    std::string terminal; // exec: TERM, when stdin, stdout and stderr are a terminal
    std::chrono::milliseconds deadline{0};
    void fields(auto& archive) {
        archive(kind);
        archive(service);
        archive(directory);
        archive(commit);
        archive(deployment);
        archive(wait);
        archive(force);
        archive(client);
        archive(json);
        archive(follow);
        archive(compose);
        archive(profiles);
        archive(env);
        archive(ports);
        archive(volumes);
        archive(networks);
        archive(allow);
        archive(domains);
        archive(taken);
        archive(neighbours);
        archive(nesting);
        archive(args);
        archive(start_timeout);
        archive(terminal);
        archive(deadline);
    }
};
using WorkRequest = std::variant<WorkJob>;

struct Progress {
    std::string step; // "plan", "pull", "build", "switch", "verify"
    void fields(auto& archive) { archive(step); }
};
struct WorkDone {
    std::int32_t exit_status = 70;
    bool changed = false;           // containers were touched
    std::optional<Outcome> outcome; // of a deployment that was attempted
    std::optional<Error> error;     // why it did not end well; one sentence
    std::string running_commit;     // of the record after this job; empty: nothing deployed
    std::uint64_t deployment = 0;   // of the record as well
    Health health = Health::unknown;
    std::vector<std::string> containers; // "SERVICE STATE", for status; at most 64
    std::vector<UrlClaim> urls;          // that the record asks for; at most max_url_claims
    std::vector<std::string> notes;      // of the record's commit, for status; at most max_reported_notes
    void fields(auto& archive) {
        archive(exit_status);
        archive(changed);
        archive(outcome);
        archive(error);
        archive(running_commit);
        archive(deployment);
        archive(health);
        archive(containers);
        archive(urls);
        archive(notes);
    }
};
struct AtGate {        // of a deployment: all is prepared, and it waits until the gate opens
    bool lost = false; // what runs ended or is missing, as a later look shows; said once
    void fields(auto& archive) { archive(lost); }
};
struct Surveyed { // one for each service of a survey
    std::string service;
    bool busy = false;   // a worker is at it; nothing else was looked at
    bool failed = false; // there was no answer; `problem` says why
    std::string running_commit;
    Health health = Health::unknown;
    bool lost = false;     // heal can mend what is wrong
    bool accident = false; // and the end of the host or of a worker did it
    std::string problem;   // one sentence; empty: the containers are as recorded
    void fields(auto& archive) {
        archive(service);
        archive(busy);
        archive(failed);
        archive(running_commit);
        archive(health);
        archive(lost);
        archive(accident);
        archive(problem);
    }
};
struct Examined { // one for each check of an examination; without a problem it is good
    std::string check;
    std::string problem;
    std::string remedy; // a command
    void fields(auto& archive) {
        archive(check);
        archive(problem);
        archive(remedy);
    }
};
using WorkReport = std::variant<Progress, WorkDone, Surveyed, Examined, AtGate>;

} // namespace pgod::ipc

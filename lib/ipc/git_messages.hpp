// Supervisor ↔ pgod-git. Each GitJob arrives with one descriptor: the
// writing end of a pipe, into which the job's process writes its GitReport frames (os/frame_pipe.hpp). A
// second one, if it comes, is a sealed file with the credentials that the admin gave for the repository; only
// the job's own process reads it. The pipe closing without a final Synced or Exported means that the job
// crashed or was ended at its deadline; JobEnded on the control channel says which.
#pragma once

#include "ipc/codec.hpp"

namespace pgod::ipc {

struct SyncJob {
    std::string known; // the tip whose keys the supervisor has; empty: none
    bool look = false; // ask upstream for its tip, and nothing else
    void fields(auto& archive) {
        archive(known);
        archive(look);
    }
};

struct ExportJob {
    std::string commit;     // 40 hex digits, or the first of them when it is looked for on the branch
    bool on_branch = false; // only if GitJob::branch has it
    std::string into;       // a name beneath the service's directory; replaced as a whole, by rename
    std::vector<std::string> named = {}; // commits, or their first digits, to be compared with it
    std::string serving = {};            // …and with this one; may be empty
    void fields(auto& archive) {
        archive(commit);
        archive(on_branch);
        archive(into);
        archive(named);
        archive(serving);
    }
};

struct GitJob {
    std::uint64_t id = 0;
    Identity user;         // whom the job becomes; ourselves when pgod does not run as root
    std::string directory; // the service's directory, absolute; the repository is `repo.git` in it
    Secret url;            // with its credentials; in memory only
    std::string branch;
    std::chrono::milliseconds deadline{0};
    std::uint64_t max_bytes = 0; // of one fetch
    bool sync = true;            // sync or exported below
    SyncJob sync_job;
    ExportJob export_job;
    void fields(auto& archive) {
        archive(id);
        archive(user);
        archive(directory);
        archive(url);
        archive(branch);
        archive(deadline);
        archive(max_bytes);
        archive(sync);
        archive(sync_job);
        archive(export_job);
    }
};

// supervisor → pgod-git
using GitRequest = std::variant<GitJob>;

// pgod-git → supervisor, on the control channel
struct JobEnded {
    std::uint64_t id = 0;
    bool deadline_passed = false;
    std::int32_t wait_status = 0; // as waitpid(2) gives it
    void fields(auto& archive) {
        archive(id);
        archive(deadline_passed);
        archive(wait_status);
    }
};
using GitNotice = std::variant<JobEnded>;

// job → supervisor, over the job's own pipe: any number of FoundKey and Warned, then one Synced or Exported
struct FoundKey {
    PublicKey key;
    void fields(auto& archive) { archive(key); }
};
struct Warned {
    std::string text;
    void fields(auto& archive) { archive(text); }
};
struct Synced {
    std::string tip;
    bool moved = false;
    bool rewritten = false;
    std::optional<Error> error;
    void fields(auto& archive) {
        archive(tip);
        archive(moved);
        archive(rewritten);
        archive(error);
    }
};
struct Named { // core NamedCommit, without what the asker knows
    std::string commit;
    bool serves = false;
    std::string refused;
    void fields(auto& archive) {
        archive(commit);
        archive(serves);
        archive(refused);
    }
};
struct Exported {
    std::string commit; // the whole id; empty with an error
    std::optional<Error> error;
    std::vector<Named> named = {}; // as many as were asked for; none with an error
    void fields(auto& archive) {
        archive(commit);
        archive(error);
        archive(named);
    }
};
using GitReport = std::variant<FoundKey, Warned, Synced, Exported>;

// job's process → pgod-git, from one that may stay for the next job: it is done with this one. The answer is
// a GitRequest with the next job's descriptor, or the end.
inline constexpr std::string_view done_notice = "1";

} // namespace pgod::ipc

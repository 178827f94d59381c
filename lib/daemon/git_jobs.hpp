// GitJobs: the supervisor's side of pgod-git. Starts it, starts it again when it ends, keeps at most
// 16 jobs under way, 4 of one Unix user, and queues the rest: servers that hang hold up only those who named
// them. Every job ends in exactly one callback.
#pragma once

#include "core/fair_share.hpp"
#include "core/service.hpp"
#include "core/sync.hpp"
#include "daemon/role_process.hpp"
#include "ipc/git_messages.hpp"
#include "os/frame_pipe.hpp"

#include <deque>
#include <functional>
#include <map>

namespace pgod::daemon {

class GitJobs {
  public:
    using SyncDone = std::function<void(SyncResult)>;
    using ExportDone = std::function<void(ExportResult)>;

    explicit GitJobs(EventLoop& loop);

    Status start();

    // `directory` is the service's; both return at once.
    void sync(const Service& service, const Identity& user, const std::string& directory,
              const std::string& known, SyncDone done);
    // Asks upstream for the tip of the branch, as sync() would, and keeps nothing.
    void look(const Service& service, const Identity& user, SyncDone done);
    void export_commit(const Service& service, const Identity& user, const std::string& directory,
                       ipc::ExportJob wanted, ExportDone done);

    std::size_t running() const noexcept { return running_.size(); }
    std::size_t waiting() const noexcept { return waiting_.size(); }

  private:
    struct Job {
        ipc::GitJob request;
        std::string credentials; // of the service; read when the job begins
        SyncDone sync_done;
        ExportDone export_done;
        os::FrameReader report;
        EventLoop::Watch watch;
        std::vector<PublicKey> keys;
        std::vector<std::string> warnings;
        unsigned frames = 0;
        std::optional<ipc::Synced> synced;
        std::optional<ipc::Exported> exported;
    };

    static Job job_of(const Service& service, const Identity& user, const std::string& directory);
    void enqueue(Job job);
    void start_waiting();
    Status begin(std::uint64_t id, Job& job);
    void on_report(std::uint64_t id, unsigned limit);
    bool take_report(Job& job, ipc::GitReport report);
    bool heard(const os::Frame& frame);
    void on_job_ended(const ipc::JobEnded& ended);
    // `failure` counts when the job left no result.
    void finish(std::uint64_t id, std::optional<Error> failure);

    EventLoop& loop_;
    RoleProcess process_;
    FairShare share_;
    std::deque<Job> waiting_;
    std::map<std::uint64_t, Job> running_;
    std::uint64_t last_id_ = 0;
};

} // namespace pgod::daemon

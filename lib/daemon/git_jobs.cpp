#include "daemon/git_jobs.hpp"

#include "base/text.hpp"
#include "ipc/believable.hpp"
#include "os/log.hpp"
#include "os/secret_file.hpp"
#include "os/users.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_parallel = 16;
constexpr std::size_t max_of_a_user = 4;
constexpr auto job_deadline = 5min; // silent servers are given up much earlier, by the job's own time-outs
constexpr std::uint64_t max_fetch = 2ULL << 30;
// A job runs as the service's user once it has its descriptors.
constexpr unsigned max_frames_at_once = 64;
constexpr unsigned max_frames = 1000; // of one job
static_assert(max_frames > max_repository_keys + max_warnings);

// Whether it is about what was asked.
bool answers(const ipc::ExportJob& asked, const ipc::Exported& answer) {
    const auto& named = answer.named;
    if (!is_commit_id(answer.commit) || !answer.commit.starts_with(asked.commit) ||
        named.size() != asked.named.size())
        return false;
    for (std::size_t i = 0; i < named.size(); ++i)
        if (named[i].refused.empty() &&
            (!is_commit_id(named[i].commit) || !named[i].commit.starts_with(asked.named[i])))
            return false;
    return true;
}

void take_answer(const ipc::ExportJob& asked, ipc::Exported& answer, ExportResult& result) {
    result.commit = std::move(answer.commit);
    for (std::size_t i = 0; i < answer.named.size(); ++i) {
        auto& named = answer.named[i];
        result.named.push_back(
            {asked.named[i], std::move(named.commit), named.serves, std::move(named.refused)});
    }
}

} // namespace

GitJobs::GitJobs(EventLoop& loop)
    : loop_(loop)
    , process_(loop)
    , share_(max_parallel, max_of_a_user) {}

Status GitJobs::start() {
    // Bound once in the parent, symbols need not be looked up, and their pages not copied, in every forked
    // job.
    std::vector<std::string> env{"LD_BIND_NOW=1"};
    if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr)
        env.push_back(fmt::format("SSL_CERT_FILE={}", authorities));
    return process_.start({
        .program = "pgod-git",
        .arguments = {},
        .env = std::move(env),
        .begin =
            [this](const os::UpperEnd&) {
                loop_.post([this] { start_waiting(); });
                return ok();
            },
        .heard = [this](os::Frame frame) { return heard(frame); },
        .ended =
            [this] {
                while (!running_.empty())
                    finish(running_.begin()->first, Error{Code::transient, "pgod-git ended"});
            },
    });
}

GitJobs::Job GitJobs::job_of(const Service& service, const Identity& user, const std::string& directory) {
    Job job;
    job.request.user = user;
    job.request.directory = directory;
    job.request.url = service.repository.whole();
    job.request.branch = service.branch;
    return job;
}

void GitJobs::sync(const Service& service, const Identity& user, const std::string& directory,
                   const std::string& known, SyncDone done) {
    Job job = job_of(service, user, directory);
    job.request.sync_job.known = known;
    job.credentials = service.credentials;
    job.sync_done = std::move(done);
    enqueue(std::move(job));
}

void GitJobs::look(const Service& service, const Identity& user, SyncDone done) {
    Job job = job_of(service, user, "/");
    job.request.sync_job.look = true;
    job.credentials = service.credentials;
    job.sync_done = std::move(done);
    enqueue(std::move(job));
}

void GitJobs::export_commit(const Service& service, const Identity& user, const std::string& directory,
                            ipc::ExportJob wanted, ExportDone done) {
    Job job = job_of(service, user, directory);
    job.request.sync = false;
    job.request.export_job = std::move(wanted);
    job.export_done = std::move(done);
    enqueue(std::move(job));
}

void GitJobs::enqueue(Job job) {
    job.request.id = ++last_id_;
    job.request.deadline = job_deadline;
    job.request.max_bytes = max_fetch;
    waiting_.push_back(std::move(job));
    // From the loop, so that a callback never runs inside the call that asked for the job.
    loop_.post([this] { start_waiting(); });
}

// The oldest job whose user has room; those of a user without are passed by, and keep their place.
void GitJobs::start_waiting() {
    while (process_.line() && !share_.full()) {
        const auto next = std::find_if(waiting_.begin(), waiting_.end(), [this](const Job& waiting) {
            return share_.has_room_for(waiting.request.user.uid);
        });
        if (next == waiting_.end())
            return;
        const std::uint64_t id = next->request.id;
        Job& job = running_.emplace(id, std::move(*next)).first->second;
        waiting_.erase(next);
        share_.take(job.request.user.uid);
        if (auto begun = begin(id, job); !begun)
            finish(id, std::move(begun).error());
    }
}

Status GitJobs::begin(std::uint64_t id, Job& job) {
    TRY(os::confirm_user(job.request.user)); // it may have waited
    auto pipe = TRY(os::make_frame_pipe());
    Fd credentials;
    if (!job.credentials.empty()) {
        const Secret text = TRY_DOING(os::read_secret_file(job.credentials), "credentials");
        credentials = TRY(os::sealed_file(text.reveal()));
    }
    const std::array<int, 2> theirs{pipe.writer.get(), credentials.get()};
    TRY(process_.line().try_send(ipc::encode(ipc::GitRequest(job.request)),
                                 std::span(theirs).first(credentials ? 2 : 1)));
    job.report = std::move(pipe.reader);
    job.watch = loop_.watch(job.report.fd(), [this, id] { on_report(id, max_frames_at_once); });
    return ok();
}

void GitJobs::on_report(std::uint64_t id, unsigned limit) {
    const auto found = running_.find(id);
    if (found == running_.end())
        return;
    Job& job = found->second;
    for (unsigned i = 0; i < limit; ++i) {
        auto frame = job.report.try_receive();
        if (frame && !*frame)
            return;
        if (!frame || (*frame)->closed()) {
            // Without a result, pgod-git's notice says why the job ended.
            job.watch.cancel();
            if (job.synced || job.exported)
                finish(id, std::nullopt);
            return;
        }
        auto report = ipc::decode<ipc::GitReport>((*frame)->bytes);
        if (!report || ++job.frames > max_frames || !ipc::believable(*report) ||
            !take_report(job, std::move(*report)))
            return finish(id, Error{Code::internal, "the git job broke the protocol"});
    }
}

// A job runs as the service's user on that user's repository: its numbers are not believed beyond their
// bounds.
bool GitJobs::take_report(Job& job, ipc::GitReport report) {
    if (auto* key = std::get_if<ipc::FoundKey>(&report)) {
        if (job.keys.size() >= max_repository_keys || !is_accepted_key_type(key->key.type))
            return false;
        job.keys.push_back(std::move(key->key));
    } else if (auto* warned = std::get_if<ipc::Warned>(&report)) {
        if (job.warnings.size() < max_warnings)
            job.warnings.push_back(std::move(warned->text));
    } else if (auto* synced = std::get_if<ipc::Synced>(&report)) {
        if (!job.sync_done || job.synced || (!synced->tip.empty() && !is_commit_id(synced->tip)))
            return false;
        job.synced = std::move(*synced);
    } else if (auto* exported = std::get_if<ipc::Exported>(&report)) {
        if (!job.export_done || job.exported ||
            (!exported->error && !answers(job.request.export_job, *exported)))
            return false;
        job.exported = std::move(*exported);
    }
    return true;
}

bool GitJobs::heard(const os::Frame& frame) {
    const auto notice = ipc::decode<ipc::GitNotice>(frame.bytes);
    if (notice)
        on_job_ended(std::get<ipc::JobEnded>(*notice));
    return notice.has_value();
}

void GitJobs::on_job_ended(const ipc::JobEnded& ended) {
    on_report(ended.id, max_frames + 1); // what it sent before it ended
    if (ended.deadline_passed)
        return finish(ended.id,
                      Error{Code::timeout, fmt::format("the git job did not end within {} s and was ended",
                                                       std::chrono::seconds(job_deadline).count())});
    finish(ended.id,
           Error{Code::internal, fmt::format("the git job {} before it had finished; see pgod's log",
                                             os::describe_wait_status(ended.wait_status))});
}

void GitJobs::finish(std::uint64_t id, std::optional<Error> failure) {
    auto node = running_.extract(id);
    if (node.empty())
        return;
    Job job = std::move(node.mapped());
    job.watch.cancel();
    share_.give_back(job.request.user.uid);
    if (job.sync_done) {
        SyncResult result;
        if (job.synced) {
            result.tip = std::move(job.synced->tip);
            result.moved = job.synced->moved;
            result.rewritten = job.synced->rewritten;
            result.error = std::move(job.synced->error);
        } else {
            result.error = std::move(failure);
        }
        result.keys = std::move(job.keys);
        result.warnings = std::move(job.warnings);
        job.sync_done(std::move(result));
    } else {
        ExportResult result;
        if (job.exported)
            take_answer(job.request.export_job, *job.exported, result);
        result.error = job.exported ? std::move(job.exported->error) : std::move(failure);
        result.warnings = std::move(job.warnings);
        job.export_done(std::move(result));
    }
    start_waiting();
}

} // namespace pgod::daemon

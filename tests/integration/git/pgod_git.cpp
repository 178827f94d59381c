#include "pgod_git.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <fstream>

namespace pgod::test {

namespace {

void wait_readable(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    REQUIRE(::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1);
}

} // namespace

std::string Outcome::error() const {
    const auto& error = synced ? synced->error : exported ? exported->error : std::optional<Error>();
    if (!synced && !exported)
        return fmt::format("no report, {}, deadline passed: {}", os::describe_wait_status(ended.wait_status),
                           ended.deadline_passed);
    return error ? fmt::format("{}: {}", name_of(error->code), error->message) : "ok";
}

PgodGit::PgodGit(const std::string& log_file, std::vector<std::string> env, std::optional<Identity> become) {
    auto line = os::make_line();
    REQUIRE(line);
    const Fd log(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    REQUIRE(log);
    os::SpawnRequest request;
    request.program = PGOD_GIT_PROGRAM;
    request.argv = {"pgod-git", "--debug"};
    request.env = std::move(env);
    request.become = std::move(become);
    request.descriptors = {{line->lower.down.fd(), 3}, {line->lower.up.fd(), 4}, {log.get(), 2}};
    request.die_with_parent = true;
    auto child = os::spawn(request);
    REQUIRE(child);
    child_ = std::move(*child);
    control_ = std::move(line->upper);
}

os::FrameReader PgodGit::start(const ipc::GitJob& job) {
    auto pipe = os::make_frame_pipe();
    REQUIRE(pipe);
    const int theirs = pipe->writer.get();
    REQUIRE(control_.send(ipc::encode(ipc::GitRequest(job)), {&theirs, 1}));
    return std::move(pipe->reader);
}

Outcome PgodGit::finish(std::uint64_t id, os::FrameReader& reports) {
    Outcome outcome;
    for (;;) {
        wait_readable(reports.fd());
        auto frame = reports.try_receive();
        REQUIRE(frame);
        if (!*frame)
            continue;
        if ((*frame)->closed())
            break;
        auto report = ipc::decode<ipc::GitReport>((*frame)->bytes);
        REQUIRE(report);
        REQUIRE_FALSE((outcome.synced || outcome.exported)); // nothing follows the end
        if (auto* key = std::get_if<ipc::FoundKey>(&*report))
            outcome.keys.push_back(std::move(key->key));
        else if (auto* warned = std::get_if<ipc::Warned>(&*report))
            outcome.warnings.push_back(std::move(warned->text));
        else if (auto* synced = std::get_if<ipc::Synced>(&*report))
            outcome.synced = std::move(*synced);
        else if (auto* exported = std::get_if<ipc::Exported>(&*report))
            outcome.exported = std::move(*exported);
    }
    while (!ended_.contains(id)) {
        wait_readable(control_.fd());
        auto frame = control_.try_receive();
        REQUIRE(frame);
        if (!*frame)
            continue;
        REQUIRE_FALSE((*frame)->closed());
        auto notice = ipc::decode<ipc::GitNotice>((*frame)->bytes);
        REQUIRE(notice);
        const auto& ended = std::get<ipc::JobEnded>(*notice);
        ended_[ended.id] = ended;
    }
    outcome.ended = ended_[id];
    return outcome;
}

Outcome PgodGit::run(const ipc::GitJob& job) {
    auto reports = start(job);
    return finish(job.id, reports);
}

void PgodGit::send_raw(std::string_view bytes, std::span<const int> fds) const {
    REQUIRE(control_.send(bytes, fds));
}

int PgodGit::wait_for_end() {
    wait_readable(child_.pidfd());
    return child_.reap();
}

std::vector<pid_t> PgodGit::job_processes() const {
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", child_.pid()));
    std::vector<pid_t> pids;
    for (pid_t pid = 0; children >> pid;)
        pids.push_back(pid);
    return pids;
}

} // namespace pgod::test

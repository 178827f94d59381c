// Stands in for pgod-work where podman's side is not what is measured: it keeps in the service's directory
// which commit "runs", and says that all is well. A deployment takes as many milliseconds as the file
// `stand-in-takes` beside the services says, else none.
#include "ipc/work_messages.hpp"
#include "os/frame_pipe.hpp"
#include "os/safe_path.hpp"

#include <chrono>
#include <fstream>
#include <thread>

using namespace pgod;

namespace {

struct Release {
    std::string commit;
    std::uint64_t deployment = 0;
};

Release read_release(const std::string& directory) {
    Release release;
    std::ifstream(directory + "/stand-in") >> release.commit >> release.deployment;
    return release;
}

void deploy(const ipc::WorkJob& job) {
    long milliseconds = 0;
    std::ifstream(job.directory + "/../stand-in-takes") >> milliseconds;
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    std::ofstream(job.directory + "/stand-in") << job.commit << ' ' << job.deployment << '\n';
}

Health health_of(const Release& release) {
    return release.commit.empty() ? Health::missing : Health::healthy;
}

void survey(const ipc::WorkJob& job, const os::FrameWriter& reports) {
    for (const auto& service : job.args) {
        const Release release = read_release(job.directory + "/" + service);
        ipc::Surveyed seen;
        seen.service = service;
        seen.running_commit = release.commit;
        seen.health = health_of(release);
        (void)reports.send(ipc::encode(ipc::WorkReport(seen)), std::chrono::minutes(1));
    }
}

} // namespace

int main() {
    const os::FrameWriter reports{Fd(6)};
    const auto order = os::read_file(3, os::max_channel_frame);
    const auto request = ipc::decode<ipc::WorkRequest>(order ? *order : std::string());
    if (!request)
        return 64;
    const auto& job = std::get<ipc::WorkJob>(*request);
    ipc::WorkDone done;
    done.exit_status = 0;
    if (job.kind == ipc::WorkKind::survey) {
        survey(job, reports);
    } else {
        if (job.kind == ipc::WorkKind::deploy) {
            deploy(job);
            done.outcome = Outcome::ok;
            done.changed = true;
        }
        const Release release = read_release(job.directory);
        done.running_commit = release.commit;
        done.deployment = release.deployment;
        done.health = health_of(release);
    }
    (void)reports.send(ipc::encode(ipc::WorkReport(done)), std::chrono::minutes(1));
    return 0;
}

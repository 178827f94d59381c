#include "daemon/role_process.hpp"

#include "daemon/host_key.hpp"
#include "daemon/program_path.hpp"
#include "os/log.hpp"

#include <signal.h>
#include <unistd.h>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto restart_delay = 1s;
constexpr auto end_patience = 1s;
constexpr int down_descriptor = 3;
constexpr int up_descriptor = 4;
constexpr int max_frames_at_once = 64; // others have their turns as well

} // namespace

Status RoleProcess::start(Role role) {
    role_ = std::move(role);
    return launch();
}

Status RoleProcess::launch() {
    const std::string program = TRY(program_path(role_.program));
    auto line = TRY(os::make_line());
    os::SpawnRequest request;
    request.program = program;
    request.argv = {role_.program};
    request.argv.insert(request.argv.end(), role_.arguments.begin(), role_.arguments.end());
    request.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
    request.env.insert(request.env.end(), role_.env.begin(), role_.env.end());
    request.descriptors = {{line.lower.down.fd(), down_descriptor},
                           {line.lower.up.fd(), up_descriptor},
                           {STDERR_FILENO, STDERR_FILENO}};
    request.die_with_parent = true;
    child_ = TRY(os::spawn(request));
    TRY(role_.begin(line.upper));
    line_ = std::move(line.upper);
    frames_ = loop_.watch(line_.fd(), [this] { on_readable(); });
    return ok();
}

void RoleProcess::on_readable() {
    for (int i = 0; i < max_frames_at_once && line_; ++i) {
        auto frame = line_.try_receive();
        if (frame && !*frame)
            return;
        if (!frame || (*frame)->closed() || !role_.heard(std::move(**frame)))
            return restart();
    }
}

void RoleProcess::stop() {
    restart_.cancel();
    frames_.cancel();
    line_.close();
    exit_.cancel();
    child_ = os::Child();
}

void RoleProcess::restart() {
    frames_.cancel();
    line_.close(); // it ends by itself when its line does
    role_.ended();
    if (!child_)
        return launch_soon();
    exit_ = loop_.watch(child_.pidfd(), [this] { on_exit(); });
    restart_ = loop_.after(end_patience, [this] { child_.signal_group(SIGKILL); });
}

void RoleProcess::on_exit() {
    const auto wait_status = child_.try_reap();
    if (!wait_status)
        return;
    exit_.cancel();
    os::log_error("{} ended ({}); it is started again", role_.program,
                  os::describe_wait_status(*wait_status));
    launch_soon();
}

void RoleProcess::launch_soon() {
    restart_ = loop_.after(restart_delay, [this] {
        if (auto launched = launch(); !launched) {
            os::log_error("{}", launched.error().message);
            restart();
        }
    });
}

std::vector<std::string> confinement_arguments(const std::string& empty_directory) {
    if (::geteuid() != 0)
        return {};
    return {"--user", endpoint_user, "--empty", empty_directory};
}

} // namespace pgod::daemon

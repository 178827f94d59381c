#include "daemon/user_sessions.hpp"

#include "os/log.hpp"
#include "os/users.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s; // with loginctl, which waits for logind; and before it is asked again

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

// The manager has told the world that it runs, and so has the bus where there will be one.
bool session_runs(const Identity& user) {
    const std::string runtime = fmt::format("/run/user/{}", user.uid);
    return exists(runtime + "/systemd/private") &&
           (exists(runtime + "/bus") || !exists("/usr/lib/systemd/user/dbus.socket"));
}

} // namespace

Status UserSessions::ready(const Identity& user) {
    if (::geteuid() != 0 || !os::systemd_runs() || session_runs(user))
        return ok();
    if (!lingering_)
        return Error{Code::transient,
                     fmt::format("user \"{0}\" has no systemd session, in which containers could run, and "
                                 "`linger` is false; run: loginctl enable-linger {0}",
                                 user.name)};
    ask_for(user.name);
    return Error{Code::transient,
                 fmt::format("waiting for systemd to start the session of user \"{}\"", user.name)};
}

void UserSessions::ask_for(const std::string& user) {
    if (requests_.contains(user))
        return;
    os::SpawnRequest request;
    request.program = "/usr/bin/loginctl";
    request.argv = {"loginctl", "enable-linger", user};
    request.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
    request.die_with_parent = true;
    auto child = os::spawn(request);
    if (!child) {
        os::log_error("loginctl enable-linger {}: {}", user, child.error().message);
        return;
    }
    Request& asked = requests_[user];
    asked.process = std::move(*child);
    asked.ended = loop_.watch(asked.process.pidfd(), [this, user] { on_ended(user); });
    asked.over = loop_.after(patience, [this, user] { requests_.erase(user); });
}

// One that failed stays, so that it is not asked again before its time is over.
void UserSessions::on_ended(const std::string& user) {
    Request& asked = requests_.at(user);
    asked.ended.cancel();
    const auto status = asked.process.try_reap();
    if (status && os::exit_code_of(*status) == 0)
        requests_.erase(user);
    else if (status)
        os::log_error("loginctl enable-linger {} {}", user, os::describe_wait_status(*status));
}

} // namespace pgod::daemon

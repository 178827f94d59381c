// The Unix user whom a service belongs to: found, waited for, and confirmed at each poll. Root asks the
// host's user database by name; what it answers decides as whom everything of the service runs.
#include "daemon/file_look.hpp"
#include "daemon/service_actor.hpp"

#include "os/users.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds user_retry = 30s;   // an unknown user may be created later
constexpr std::chrono::milliseconds session_retry = 1s; // systemd is starting what the user needs

} // namespace

void ServiceActor::find_user() {
    const bool root = ::geteuid() == 0;
    auto found = os::find_user(service_.user);
    const bool user_gone = !found && found.error().code == Code::gone;
    if (found && !root && found->uid != ::geteuid())
        found = Error{Code::denied,
                      fmt::format("pgod runs as an ordinary user and cannot serve user \"{}\"; start it "
                                  "as root, or set user = \"{}\"",
                                  service_.user, os::current_user().name)};
    if (found) {
        user_ = std::move(*found);
        if (auto made = make_directory(); !made)
            found = std::move(made).error();
        else if (auto ready = ports_.sessions.ready(*user_); !ready)
            found = std::move(ready).error();
    }
    if (found)
        return feed(reconcile::Available{});
    user_.reset();
    const auto retry = found.error().code == Code::transient ? session_retry : user_retry;
    feed(reconcile::Unavailable{std::move(found).error().message, user_gone});
    timer_ = ports_.loop.after(retry, [this] { find_user(); });
}

// Asked at each poll, because the user may be deleted, made anew, or put into other groups while pgod runs.
// When the uid is another one, find_user() begins anew: nothing of the old uid is handed over.
bool ServiceActor::has_its_user() {
    auto found = os::find_user(service_.user);
    if (::geteuid() != 0 || (found && found->uid == user_->uid)) {
        if (found)
            user_ = std::move(*found);
        return true;
    }
    const bool made_anew = static_cast<bool>(found);
    const bool gone = !made_anew && found.error().code == Code::gone;
    std::string reason = made_anew ? fmt::format("user \"{}\" was made anew: uid {} is {} now", service_.user,
                                                 user_->uid, found->uid)
                                   : std::move(found).error().message;
    user_.reset();
    feed(reconcile::Unavailable{std::move(reason), gone});
    timer_ = ports_.loop.after(made_anew ? 0ms : user_retry, [this] { find_user(); });
    return false;
}

std::string ServiceActor::look_of_secrets() const {
    std::string looks;
    const auto look = [&looks](const std::string& file) {
        if (file.find('/') != std::string::npos)
            looks += look_of(file) + ' ';
    };
    look(service_.env_file);
    for (const auto& [name, file] : service_.secrets)
        look(file);
    return looks;
}

bool ServiceActor::secrets_changed() const {
    return look_of_secrets() != secrets_seen_;
}

// services/ is ours, so nobody can put anything in the way; the service's directory belongs to its user.
Status ServiceActor::make_directory() const {
    const std::string path = directory();
    (void)::rmdir(path.c_str()); // empty: pgod may have been killed before it could hand it over
    if (::mkdir(path.c_str(), 0700) == 0) {
        if (::lchown(path.c_str(), user_->uid, user_->gid) != 0)
            return errno_error("hand over " + path);
        return ok();
    }
    if (errno != EEXIST)
        return errno_error("make " + path);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
        return Error{Code::denied, fmt::format("{} is not a directory; move it away", path)};
    if (status.st_uid != user_->uid)
        return Error{
            Code::denied,
            fmt::format("{0} does not belong to user \"{1}\" (uid {2}) but to uid {3}; move it away, or "
                        "hand it over with chown -R {1}: {0}",
                        path, user_->name, user_->uid, status.st_uid)};
    return ok();
}

} // namespace pgod::daemon

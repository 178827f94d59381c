#include "os/users.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pgod::os {

namespace {

constexpr std::array<std::string_view, 6> program_directories{
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"};
constexpr std::string_view fixed_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Identity identity_of(const passwd& entry) {
    Identity identity{entry.pw_name, entry.pw_uid, entry.pw_gid, {}, entry.pw_dir};
    int count = 64;
    identity.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(entry.pw_name, entry.pw_gid, identity.groups.data(), &count) < 0) {
        identity.groups.resize(static_cast<std::size_t>(count));
        (void)::getgrouplist(entry.pw_name, entry.pw_gid, identity.groups.data(), &count);
    }
    identity.groups.resize(static_cast<std::size_t>(count));
    return identity;
}

std::string runtime_directory(uid_t uid) {
    return fmt::format("/run/user/{}", uid);
}

} // namespace

bool systemd_runs() {
    struct stat status {};
    return ::lstat("/run/systemd/system", &status) == 0; // sd_booted(3)
}

Result<Identity> find_user(const std::string& name) {
    std::vector<char> buffer(16 * 1024);
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error != 0)
        return errno_error(fmt::format("look up user \"{}\"", name), error);
    if (found == nullptr)
        return Error{Code::gone, fmt::format("user \"{}\" does not exist on this host", name)};
    Identity identity = identity_of(entry);
    if (identity.uid == 0 || identity.gid == 0)
        return Error{Code::denied, fmt::format("user \"{}\" has root's user or group id", name)};
    return identity;
}

Status confirm_user(const Identity& user) {
    if (user.uid == ::geteuid())
        return ok();
    const auto found = find_user(user.name);
    if (!found)
        return Error{Code::transient, found.error().message};
    if (found->uid != user.uid)
        return Error{Code::transient, fmt::format("user \"{}\" was made anew: uid {} is {} now", user.name,
                                                  user.uid, found->uid)};
    return ok();
}

Identity current_user() {
    std::vector<char> buffer(16 * 1024);
    passwd entry{};
    passwd* found = nullptr;
    (void)::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    if (found != nullptr)
        return identity_of(entry);
    return Identity{std::to_string(::geteuid()), ::geteuid(), ::getegid(), {}, "/"};
}

std::vector<std::string> user_environment(const Identity& user) {
    const std::string runtime = runtime_directory(user.uid);
    std::vector<std::string> env{
        "HOME=" + user.home,    "USER=" + user.name,
        "LOGNAME=" + user.name, fmt::format("PATH={}", fixed_path),
        "LANG=C.UTF-8",         "XDG_RUNTIME_DIR=" + runtime,
    };
    struct stat status {};
    const std::string bus = runtime + "/bus";
    if (::lstat(bus.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && status.st_uid == user.uid)
        env.push_back("DBUS_SESSION_BUS_ADDRESS=unix:path=" + bus);
    return env;
}

Status ensure_runtime_directory(const Identity& user) {
    const std::string path = runtime_directory(user.uid);
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode) && status.st_uid == user.uid)
            return ok();
        return Error{Code::denied, fmt::format("{} is not a directory of user {}", path, user.name)};
    }
    if (systemd_runs())
        return Error{Code::transient, fmt::format("{} is missing; enable it with: loginctl enable-linger {}",
                                                  path, user.name)};
    if (::geteuid() != 0)
        return Error{Code::denied,
                     fmt::format("{} is missing; make it (mode 0700, owner {})", path, user.name)};
    (void)::mkdir("/run/user", 0755);
    if (::mkdir(path.c_str(), 0700) != 0)
        return errno_error("make " + path);
    // /run/user is root's, so nobody can have put a link here in between.
    if (::lchown(path.c_str(), user.uid, user.gid) != 0)
        return errno_error("hand over " + path);
    return ok();
}

Result<std::string> find_program(std::string_view name) {
    for (const auto directory : program_directories) {
        std::string path = fmt::format("{}/{}", directory, name);
        if (::access(path.c_str(), X_OK) == 0)
            return path;
    }
    return Error{Code::gone, fmt::format("{} is not installed on this host", name)};
}

} // namespace pgod::os

#include "daemon/confinement.hpp"

#include "os/drop.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <string_view>

namespace pgod::daemon {

namespace {

constexpr int down_descriptor = 3;
constexpr int up_descriptor = 4;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

Status refuse(const std::string& directory, std::string_view reason) {
    return Error{
        Code::invalid,
        fmt::format("{} {}; an empty directory of root's own with mode 0555 is needed", directory, reason)};
}

// What is under the new root would be all that a captured process could open.
Status enter_empty_root(const std::string& path) {
    const Fd directory = TRY(os::open_directory(path));
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0)
        return errno_error(path);
    if (status.st_uid != 0 || (status.st_mode & 0222 & ~S_IWUSR) != 0)
        return refuse(path, "may be written by others than root");
    const std::unique_ptr<DIR, CloseDirectory> list(
        ::fdopendir(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0)));
    if (!list)
        return errno_error(path);
    for (const dirent* entry = ::readdir(list.get()); entry != nullptr; entry = ::readdir(list.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            return refuse(path, "is not empty");
    }
    if (::fchdir(directory.get()) != 0 || ::chroot(".") != 0 || ::chdir("/") != 0)
        return errno_error(fmt::format("make {} the root directory", path));
    return ok();
}

// Changing from root to another user clears them; an ambient one of a service unit would stay. Verified.
Status drop_capabilities() {
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::syscall(SYS_capset, &header, sets.data()) != 0)
        return errno_error("drop the capabilities");
    if (::syscall(SYS_capget, &header, sets.data()) != 0)
        return errno_error("read the capabilities");
    for (const auto& set : sets) {
        if ((set.effective | set.permitted | set.inheritable) != 0)
            return Error{Code::internal, "capabilities are left after they were dropped"};
    }
    return ok();
}

Status become(const Confinement& wanted) {
    if (wanted.user.empty()) {
        if (::geteuid() == 0)
            return Error{Code::denied, fmt::format("{} does not serve as root; give it --user and --empty",
                                                   wanted.program)};
        return ok();
    }
    const auto user = TRY(os::find_user(wanted.user));
    TRY(enter_empty_root(wanted.empty_directory));
    // No supplementary groups: there is nothing to reach with them.
    if (const char* step = os::drop_privileges(user.uid, user.gid, nullptr, 0))
        return errno_error(fmt::format("become user \"{}\": {}", wanted.user, step));
    return ok();
}

} // namespace

Result<os::LowerEnd> take_line(std::string_view program) {
    for (const int descriptor : {down_descriptor, up_descriptor})
        if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
            return Error{Code::invalid,
                         fmt::format("descriptor {} is not open; {} is started by pgod, not by hand",
                                     descriptor, program)};
    return os::LowerEnd{os::Channel{Fd(down_descriptor)}, os::FrameWriter{Fd(up_descriptor)}};
}

Status confine(const Confinement& wanted) {
    ::tzset(); // the log's time zone is a file
    TRY(become(wanted));
    TRY(drop_capabilities());
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return errno_error("confine the process");
    // SIGTERM, unlike what spawn() sets, leaves the clients time to hear of it. The end of the channel to
    // pgod says the same; this is for a process that hangs.
    if (::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0)
        return errno_error("tie the process to its parent");
    const rlimit no_core{0, 0};
    if (::setrlimit(RLIMIT_CORE, &no_core) != 0)
        return errno_error("forbid core files");
    lower_limit(RLIMIT_NOFILE, wanted.max_descriptors);
    return ok();
}

void lower_limit(__rlimit_resource resource, rlim_t value) noexcept {
    const rlimit both{value, value};
    (void)::setrlimit(resource, &both);
}

Status confirm_listening(const std::vector<Fd>& sockets) {
    for (const Fd& socket : sockets) {
        int listening = 0;
        socklen_t size = sizeof listening;
        if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
            return Error{Code::invalid, "pgod handed over a socket that does not listen"};
    }
    return ok();
}

void close_all_but(std::array<int, 3> kept) noexcept {
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (const int fd : kept) {
        const auto next = static_cast<unsigned>(fd);
        if (next > from)
            (void)::syscall(SYS_close_range, from, next - 1, 0U);
        from = next + 1;
    }
    (void)::syscall(SYS_close_range, from, ~0U, 0U);
}

} // namespace pgod::daemon

#include "daemon/ssh_role.hpp"

#include "core/exit_status.hpp"
#include "daemon/ssh_listener.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/drop.hpp"
#include "os/log.hpp"
#include "os/safe_path.hpp"
#include "os/users.hpp"
#include "ssh/key.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <exception>
#include <memory>

namespace pgod::daemon {

namespace {

constexpr int control_fd = 3;
constexpr std::size_t max_host_key = 16 * 1024; // bytes
constexpr rlim_t max_descriptors = 1024;        // of the listener: two or three for each connection
constexpr std::uint32_t max_connections = 300;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

Status refuse(const std::string& directory, std::string_view reason) {
    return Error{Code::invalid,
                 fmt::format("{} {}; pgod-ssh needs an empty directory of root's own with mode 0555",
                             directory, reason)};
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

Status become(const SshRole& role) {
    if (role.user.empty()) {
        if (::geteuid() == 0)
            return Error{Code::denied, "pgod-ssh does not serve as root; give it --user and --empty"};
        return ok();
    }
    const auto user = TRY(os::find_user(role.user));
    TRY(enter_empty_root(role.empty_directory));
    // No supplementary groups: there is nothing to reach with them.
    if (const char* step = os::drop_privileges(user.uid, user.gid, nullptr, 0))
        return errno_error(fmt::format("become user \"{}\": {}", role.user, step));
    return ok();
}

Status confine(const SshRole& role) {
    ::tzset(); // the log's time zone is a file
    TRY(become(role));
    TRY(drop_capabilities());
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return errno_error("confine the process");
    // SIGTERM, unlike what spawn() sets, leaves the connections time to hear of it. The end of the control
    // channel says the same; this is for a listener that hangs.
    if (::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0)
        return errno_error("tie the process to its parent");
    const rlimit no_core{0, 0};
    const rlimit descriptors{max_descriptors, max_descriptors};
    if (::setrlimit(RLIMIT_CORE, &no_core) != 0)
        return errno_error("forbid core files");
    (void)::setrlimit(RLIMIT_NOFILE, &descriptors); // a lower limit of the administrator stays
    return ok();
}

struct Order {
    ipc::SshStart start;
    std::vector<Fd> sockets;
};

Result<Order> receive_order(const os::Channel& control) {
    auto frame = TRY(control.receive());
    if (frame.closed())
        return Error{Code::gone, "pgod closed the control channel before it said what to do"};
    auto message = TRY(ipc::decode<ipc::SshControl>(frame.bytes));
    Order order{std::get<ipc::SshStart>(std::move(message)), std::move(frame.fds)};
    const auto& start = order.start;
    if (order.sockets.empty() || start.max_connections == 0 || start.max_connections > max_connections ||
        start.max_unauthenticated == 0 || start.max_unauthenticated > start.max_connections ||
        start.login_deadline <= std::chrono::milliseconds(0))
        return Error{Code::invalid, "pgod asked for what its SSH endpoint cannot do"};
    for (const Fd& socket : order.sockets) {
        int listening = 0;
        socklen_t size = sizeof listening;
        if (::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
            return Error{Code::invalid, "pgod handed over a socket that does not listen"};
    }
    return order;
}

Status serve(const SshRole& role) {
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    if (::sigprocmask(SIG_BLOCK, &terminate, nullptr) != 0)
        return errno_error("block SIGTERM");
    (void)::signal(SIGPIPE, SIG_IGN);
    if (::fcntl(control_fd, F_SETFD, FD_CLOEXEC) != 0)
        return Error{Code::invalid, "descriptor 3 is not open; pgod-ssh is started by pgod, not by hand"};
    os::Channel control{Fd(control_fd)};
    TRY(confine(role));
    auto order = TRY(receive_order(control));
    auto bind = TRY(ssh::ServerBind::create(order.start.host_key, order.start.second_host_key));
    order.start.host_key = Secret();
    order.start.second_host_key = Secret();
    auto filter = TRY(SshFilter::compile());
    TRY_DOING(bind.warm_up(), "warm up");
    TRY(control.send(ipc::encode(ipc::SshNotice(ipc::Listening{bind.fingerprint()}))));
    SshListener listener(
        std::move(bind), std::move(filter), std::move(control), std::move(order.sockets),
        {order.start.max_connections, order.start.max_unauthenticated, order.start.login_deadline});
    return listener.run();
}

int print_or_complain(const Result<Secret>& text) {
    if (!text) {
        os::start_log("pgod-ssh", false);
        os::log_error("{}", text.error().message);
        return exit_status::internal;
    }
    const auto& bytes = text->reveal();
    const bool written =
        std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0;
    return written ? exit_status::done : exit_status::failed;
}

Secret read_input() {
    std::string text(max_host_key, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), stdin));
    return Secret(std::move(text));
}

Result<Secret> make_key_beside_input() {
    const Secret other = read_input();
    if (other.empty())
        return ssh::make_host_key(ssh::HostKeyType::ed25519);
    const auto key = TRY(ssh::import_private_key(other));
    const auto type = TRY(ssh::host_key_type_of(key.get()));
    return ssh::make_host_key(type == ssh::HostKeyType::ed25519 ? ssh::HostKeyType::ecdsa
                                                                : ssh::HostKeyType::ed25519);
}

Result<Secret> fingerprint_of_input() {
    const auto key = TRY(ssh::import_private_key(read_input()));
    return Secret(TRY(ssh::fingerprint_of(key.get())) + "\n");
}

} // namespace

int run_ssh_role(const SshRole& role) {
    os::start_log("pgod-ssh", role.debug);
    try {
        if (auto served = serve(role); !served) {
            os::log_error("{}", served.error().message);
            return exit_status::internal;
        }
    } catch (const std::exception& bug) {
        os::log_error("ended by an exception: {}", bug.what());
        return exit_status::internal;
    }
    return exit_status::done;
}

int print_host_key() {
    return print_or_complain(make_key_beside_input());
}

int print_fingerprint() {
    return print_or_complain(fingerprint_of_input());
}

} // namespace pgod::daemon

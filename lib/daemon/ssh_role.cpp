#include "daemon/ssh_role.hpp"

#include "core/exit_status.hpp"
#include "daemon/confinement.hpp"
#include "daemon/role_main.hpp"
#include "daemon/ssh_filter.hpp"
#include "daemon/ssh_listener.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/channel_descriptors.hpp"
#include "os/log.hpp"
#include "ssh/key.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <cstdio>

namespace pgod::daemon {

namespace {

constexpr std::size_t max_host_key = std::size_t{16} * 1024; // bytes
// Of the listener: two or three for each connection; also bounds those under way, with the relay's
// (relay_role.cpp).
constexpr rlim_t max_descriptors = 1024;
constexpr std::uint32_t max_connections = 300;

struct Order {
    ipc::SshStart start;
    std::vector<Fd> sockets;
};

Result<Order> receive_order(const os::Channel& control) {
    auto frame = TRY(os::receive_with_descriptors(control));
    if (frame.closed())
        return Error{Code::gone, "pgod closed the control channel before it said what to do"};
    auto message = TRY(ipc::decode<ipc::SshControl>(frame.bytes));
    auto* first = std::get_if<ipc::SshStart>(&message);
    if (first == nullptr)
        return Error{Code::invalid, "pgod did not begin with what its SSH endpoint is to do"};
    Order order{std::move(*first), std::move(frame.fds)};
    const auto& start = order.start;
    if (order.sockets.empty() || start.max_connections == 0 || start.max_connections > max_connections ||
        start.max_strangers == 0 || start.max_strangers > start.max_connections ||
        start.login_deadline <= std::chrono::milliseconds(0))
        return Error{Code::invalid, "pgod asked for what its SSH endpoint cannot do"};
    TRY(confirm_listening(order.sockets));
    return order;
}

Status serve(const SshRole& role) {
    sigset_t terminate;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    if (::sigprocmask(SIG_BLOCK, &terminate, nullptr) != 0)
        return errno_error("block SIGTERM");
    (void)::signal(SIGPIPE, SIG_IGN);
    os::LowerEnd control = TRY(take_line("pgod-ssh"));
    TRY(confine({role.user, role.empty_directory, "pgod-ssh", max_descriptors}));
    auto order = TRY(receive_order(control.down));
    auto bind = TRY(ssh::ServerBind::create(order.start.host_key, order.start.second_host_key));
    order.start.host_key = Secret();
    order.start.second_host_key = Secret();
    auto filter = TRY(compile_ssh_filter());
    TRY_DOING(bind.warm_up(), "warm up");
    TRY(control.up.try_send(ipc::encode(ipc::SshNotice(ipc::Listening{bind.fingerprint()}))));
    SshListener listener(std::move(bind), std::move(filter), std::move(control), std::move(order.sockets),
                         order.start);
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
    return run_role("pgod-ssh", role.debug, [&role] { return serve(role); });
}

int print_host_key() {
    return print_or_complain(make_key_beside_input());
}

int print_fingerprint() {
    return print_or_complain(fingerprint_of_input());
}

} // namespace pgod::daemon

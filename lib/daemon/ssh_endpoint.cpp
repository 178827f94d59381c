#include "daemon/ssh_endpoint.hpp"

#include "daemon/host_key.hpp"
#include "daemon/program_path.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/log.hpp"
#include "os/users.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto restart_delay = 1s;
constexpr auto end_patience = 1s;
constexpr std::size_t max_listeners = 4;
constexpr int backlog = 512; // waiting connections; a burst of idle ones must not hide a good one

struct FreeAddresses {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

Result<Fd> listen_on(const addrinfo& address) {
    Fd fd(
        ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
    if (!fd)
        return errno_error("make a socket");
    const int on = 1;
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ai_family == AF_INET6)
        (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0 || ::listen(fd.get(), backlog) != 0)
        return errno_error("bind");
    return fd;
}

} // namespace

Status SshEndpoint::start(const Config& config, const std::string& empty_directory, std::vector<Fd> passed) {
    empty_directory_ = empty_directory;
    TRY(check_user());
    listeners_ = std::move(passed);
    if (listeners_.empty())
        TRY(bind(config.listen));
    else
        os::log_info("the service manager passed {} listening socket{}; `listen` does not count",
                     listeners_.size(), listeners_.size() == 1 ? "" : "s");
    TRY_DOING(load_host_keys(config), "host_key");
    return launch();
}

// The one that is there first: one that is made then is of another type.
Status SshEndpoint::load_host_keys(const Config& config) {
    const bool second_first = !config.second_host_key.empty() && ::access(config.host_key.c_str(), F_OK) != 0;
    if (second_first)
        second_host_key_ = TRY(load_host_key(config.second_host_key, {}));
    host_key_ = TRY(load_host_key(config.host_key, second_host_key_));
    if (!second_first && !config.second_host_key.empty())
        second_host_key_ = TRY(load_host_key(config.second_host_key, host_key_));
    return ok();
}

// Before anything is made or bound, so that an installation that lacks only this hears of it first.
Status SshEndpoint::check_user() const {
    if (::geteuid() != 0)
        return ok();
    if (auto user = os::find_user(endpoint_user); !user)
        return Error{user.error().code,
                     "the system user \"pgod\", under which the SSH endpoint runs, is missing; make it with: "
                     "useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin pgod"};
    return ok();
}

Status SshEndpoint::bind(const ListenAddress& address) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    const int code = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                   std::to_string(address.port).c_str(), &hints, &raw);
    if (code != 0)
        return Error{Code::invalid, fmt::format("listen: {}: {}", address.host, ::gai_strerror(code))};
    const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
    std::optional<Error> failure;
    for (const addrinfo* entry = list.get(); entry != nullptr && listeners_.size() < max_listeners;
         entry = entry->ai_next) {
        auto fd = listen_on(*entry);
        if (fd)
            listeners_.push_back(std::move(*fd));
        else
            failure = std::move(fd).error();
    }
    // A host without IPv6 fails on one of two; both failing is an error.
    if (listeners_.empty())
        return std::move(*failure).context(fmt::format("listen on {}:{}", address.host, address.port));
    return ok();
}

std::vector<std::string> SshEndpoint::arguments() const {
    if (::geteuid() != 0)
        return {"pgod-ssh"};
    return {"pgod-ssh", "--user", endpoint_user, "--empty", empty_directory_};
}

Status SshEndpoint::launch() {
    const std::string program = TRY(program_path("pgod-ssh"));
    auto channels = TRY(os::Channel::pair());
    os::SpawnRequest request;
    request.program = program;
    request.argv = arguments();
    // Bound once in the parent, symbols need not be looked up, and their pages not copied, in every forked
    // child.
    request.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "LD_BIND_NOW=1"};
    request.descriptors = {{channels[1].fd(), 3}, {2, 2}};
    request.die_with_parent = true;
    child_ = TRY(os::spawn(request));
    ipc::SshStart begin;
    begin.host_key = host_key_;
    begin.second_host_key = second_host_key_;
    std::vector<int> fds;
    for (const Fd& listener : listeners_)
        fds.push_back(listener.get());
    TRY(channels[0].send(ipc::encode(ipc::SshControl(begin)), fds));
    control_ = std::move(channels[0]);
    notices_ = loop_.watch(control_.fd(), [this] { on_notice(); });
    return ok();
}

void SshEndpoint::on_notice() {
    while (true) {
        auto frame = control_.try_receive();
        if (frame && !*frame)
            return;
        if (!frame || (*frame)->closed())
            return restart_soon();
        auto notice = ipc::decode<ipc::SshNotice>((*frame)->bytes);
        if (!notice)
            return restart_soon();
        if (const auto* listening = std::get_if<ipc::Listening>(&*notice)) {
            os::log_info("the SSH endpoint listens; host key {}", listening->fingerprint);
            listening_();
        } else if (auto* connected = std::get_if<ipc::Connected>(&*notice)) {
            if ((*frame)->fds.size() != 1)
                return restart_soon();
            accepted_(os::Channel(std::move((*frame)->fds.front())), std::move(connected->peer));
        }
    }
}

void SshEndpoint::restart_soon() {
    notices_.cancel();
    control_.close(); // it ends by itself when its channel does
    os::log_error("pgod-ssh ended ({}); it is started again",
                  os::describe_wait_status(child_.reap_within(end_patience)));
    restart_ = loop_.after(restart_delay, [this] {
        if (auto launched = launch(); !launched) {
            os::log_error("{}", launched.error().message);
            restart_soon();
        }
    });
}

} // namespace pgod::daemon

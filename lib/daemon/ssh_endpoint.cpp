#include "daemon/ssh_endpoint.hpp"

#include "daemon/host_key.hpp"
#include "daemon/listening_sockets.hpp"
#include "ipc/ssh_messages.hpp"
#include "os/log.hpp"
#include "os/users.hpp"

#include <unistd.h>

#include <array>

namespace pgod::daemon {

namespace {

constexpr std::size_t max_peer = 64; // bytes; an IPv6 address and a port take 47

} // namespace

Status SshEndpoint::start(const Config& config, const std::string& empty_directory, std::vector<Fd> passed) {
    TRY(check_user());
    listeners_ = std::move(passed);
    if (listeners_.empty())
        listeners_ = TRY(listen_at(config.listen, NoHost::everywhere, "listen"));
    else
        os::log_info("the service manager passed {} listening socket{}; `listen` does not count",
                     listeners_.size(), listeners_.size() == 1 ? "" : "s");
    TRY_DOING(load_host_keys(config), "host_key");
    return process_.start({
        .program = "pgod-ssh",
        .arguments = confinement_arguments(empty_directory),
        // Bound once in the parent, symbols need not be looked up, and their pages not copied, in every
        // forked child.
        .env = {"LD_BIND_NOW=1"},
        .begin = [this](const os::UpperEnd& line) { return begin(line); },
        .heard = [this](os::Frame frame) { return heard(frame); },
        .ended = [this] { listens_ = false; },
    });
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

Status SshEndpoint::begin(const os::UpperEnd& line) const {
    ipc::SshStart start;
    start.host_key = host_key_;
    start.second_host_key = second_host_key_;
    std::vector<int> fds;
    for (const Fd& listener : listeners_)
        fds.push_back(listener.get());
    return line.send(ipc::encode(ipc::SshControl(start)), fds);
}

// A few bytes for each of at most 80 connections: the socket takes them even while pgod-ssh stands still.
void SshEndpoint::place(std::uint64_t id, bool kept) const {
    if (!process_.line())
        return; // nor is the connection there any more
    if (auto sent = process_.line().try_send(ipc::encode(ipc::SshControl(ipc::Place{id, kept}))); !sent)
        os::log_error("pgod-ssh does not take what becomes of a connection: {}", sent.error().message);
}

bool SshEndpoint::heard(const os::Frame& frame) {
    auto notice = ipc::decode<ipc::SshNotice>(frame.bytes);
    if (!notice)
        return false;
    if (const auto* listening = std::get_if<ipc::Listening>(&*notice)) {
        os::log_info("the SSH endpoint listens; host key {}", listening->fingerprint);
        listens_ = true;
        listening_();
    } else if (auto* connected = std::get_if<ipc::Connected>(&*notice)) {
        return connected->peer.size() <= max_peer && connect(std::move(*connected));
    } else {
        turned_away_();
    }
    return true;
}

// A pgod-ssh that does not read what it asked for, or asks for too much, is restarted.
bool SshEndpoint::connect(ipc::Connected connected) {
    auto line = os::make_line();
    if (!line) { // out of descriptors
        os::log_error("{}", line.error().message);
        return false;
    }
    auto& [ours, theirs] = *line;
    const std::array<int, 2> fds{theirs.down.fd(), theirs.up.fd()};
    if (!process_.line().try_send(ipc::encode(ipc::SshControl(ipc::Line{connected.connection})), fds))
        return false;
    return accepted_(std::move(ours), std::move(connected.peer), connected.connection);
}

} // namespace pgod::daemon

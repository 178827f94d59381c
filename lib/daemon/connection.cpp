#include "daemon/connection.hpp"

#include "base/text.hpp"
#include "core/command.hpp"
#include "os/log.hpp"

namespace pgod::daemon {

namespace {

// Of one connection; pgod-ssh itself gives up after 20 attempts, each asking at most twice.
constexpr unsigned max_queries = 64;

} // namespace

Connection::Connection(EventLoop& loop, std::uint64_t id, os::Channel channel, std::string peer,
                       Handlers handlers)
    : id_(id)
    , channel_(std::move(channel))
    , peer_(std::move(peer))
    , handlers_(std::move(handlers))
    , watch_(loop.watch(channel_.fd(), [this] { on_readable(); })) {}

void Connection::on_readable() {
    while (true) {
        auto frame = channel_.try_receive();
        if (frame && !*frame)
            return;
        if (!frame || (*frame)->closed())
            return handlers_.closed(*this);
        const auto request = ipc::decode<ipc::SshRequest>((*frame)->bytes);
        if (!request || !accept(*request)) {
            os::log_error("the SSH process of {} broke the protocol and was ended", peer_);
            return handlers_.closed(*this);
        }
    }
}

bool Connection::accept(const ipc::SshRequest& request) {
    if (ran_)
        return false;
    if (const auto* query = std::get_if<ipc::KeyQuery>(&request)) {
        if (++queries_ > max_queries)
            return false;
        send(ipc::KeyAnswer{handlers_.knows(query->key)});
        return true;
    }
    const auto& run = std::get<ipc::Run>(request);
    if (run.command.size() > max_command_bytes || run.ssh_user.size() > 256 || run.fingerprint.size() > 128)
        return false;
    ran_ = true;
    handlers_.run(*this, run);
    return true;
}

// A frame that does not fit into the socket's buffer ends the connection: its client does not read.
void Connection::send(const ipc::SshReply& reply) {
    if (auto sent = channel_.try_send(ipc::encode(reply)); !sent) {
        os::log_debug("{}: {}", peer_, sent.error().message);
        handlers_.closed(*this);
    }
}

void Connection::text(bool to_stderr, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, ipc::max_text_bytes);
        bytes.remove_prefix(part.size());
        send(ipc::Text{to_stderr, std::string(part)});
    }
}

void Connection::print(std::string_view bytes) {
    text(false, bytes);
}

void Connection::say(std::string_view sentence) {
    text(true, escaped(sentence) + "\n");
}

Status Connection::hand_over(int output, int errors) {
    const std::array<int, 2> fds{output, errors};
    return channel_.try_send(ipc::encode(ipc::SshReply(ipc::Streams{})), fds);
}

void Connection::finish(int exit_status) {
    send(ipc::Exit{exit_status});
}

} // namespace pgod::daemon

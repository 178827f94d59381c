#include "daemon/connection.hpp"

#include "base/text.hpp"
#include "core/command.hpp"
#include "core/exit_status.hpp"
#include "ipc/control_messages.hpp"
#include "os/log.hpp"

namespace pgod::daemon {

namespace {

// Of one connection; pgod-ssh itself gives up after 20 attempts, each asking at most twice.
constexpr unsigned max_queries = 64;

// What waits for a client that reads slowly; a longer answer ends the connection.
constexpr std::size_t max_waiting = std::size_t{4} << 20; // bytes
constexpr std::chrono::milliseconds flush_interval{20};

constexpr std::chrono::seconds patience{10}; // with a process of this host that does not ask

} // namespace

Connection::Connection(EventLoop& loop, std::uint64_t id, os::UpperEnd line, Peer peer, Handlers handlers)
    : loop_(loop)
    , id_(id)
    , line_(std::move(line))
    , peer_(std::move(peer))
    , handlers_(std::move(handlers))
    , watch_(loop.watch(line_.fd(), [this] { on_readable(); })) {
    if (peer_.uid)
        silence_ = loop.after(patience, [this] { handlers_.closed(*this); });
}

void Connection::on_readable() {
    while (true) {
        auto frame = line_.try_receive();
        if (frame && !*frame)
            return;
        if (frame && (*frame)->closed())
            return handlers_.closed(*this);
        if (!frame || !accept((*frame)->bytes)) {
            if (peer_.uid)
                os::log_info("a process of uid {} broke the protocol of the control socket", *peer_.uid);
            else
                os::log_error("the SSH process of {} broke the protocol and was ended", peer_.name);
            return handlers_.closed(*this);
        }
    }
}

bool Connection::accept(std::string_view frame) {
    if (ran_)
        return false;
    if (peer_.uid) {
        auto asked = ipc::decode<ipc::ControlRequest>(frame);
        if (!asked)
            return false;
        auto& ask = std::get<ipc::Ask>(*asked);
        return run({{}, {}, {}, std::move(ask.command), std::move(ask.terminal)});
    }
    auto request = ipc::decode<ipc::SshRequest>(frame);
    if (!request)
        return false;
    if (const auto* query = std::get_if<ipc::KeyQuery>(&*request))
        return answer(*query);
    return run(std::get<ipc::Run>(std::move(*request)));
}

bool Connection::answer(const ipc::KeyQuery& query) {
    if (++queries_ > max_queries)
        return false;
    const bool known = handlers_.knows(query.key);
    unknown_keys_ += known ? 0 : 1;
    send(ipc::KeyAnswer{known});
    return true;
}

bool Connection::run(ipc::Run request) {
    if (request.command.size() > max_command_bytes || request.ssh_user.size() > 256 ||
        request.fingerprint.size() > 128 || (request.terminal && request.terminal->type.size() > 128))
        return false;
    ran_ = true;
    silence_.cancel();
    handlers_.run(*this, std::move(request));
    return true;
}

void Connection::send(const ipc::SshReply& reply) {
    if (ended_)
        return;
    std::string frame = ipc::encode(reply);
    waiting_bytes_ += frame.size();
    waiting_.push_back(std::move(frame));
    if (waiting_.size() == 1)
        flush();
    if (!ended_ && waiting_bytes_ > max_waiting) {
        os::log_warning("{}: its client does not read; the connection was ended", peer_.name);
        end();
    }
}

// The loop tells when a channel can be read, not when it can be written, so a full one is tried again soon.
void Connection::flush() {
    while (!waiting_.empty()) {
        auto sent = line_.try_send(waiting_.front());
        if (!sent && sent.error().code == Code::transient) {
            flush_ = loop_.after(flush_interval, [this] { flush(); });
            return;
        }
        if (!sent) {
            os::log_debug("{}: {}", peer_.name, sent.error().message);
            return end();
        }
        waiting_bytes_ -= waiting_.front().size();
        waiting_.pop_front();
    }
}

void Connection::end() {
    ended_ = true;
    waiting_.clear();
    flush_.cancel();
    handlers_.closed(*this);
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

Status Connection::hand_over(std::span<const int> streams) {
    return line_.try_send(ipc::encode(ipc::SshReply(ipc::Streams{})), streams);
}

void Connection::finish(int exit_status, std::string_view last) {
    exit({exit_status, last.empty() ? std::string() : escaped(last) + "\n"});
}

void Connection::refuse(std::string_view sentence) {
    exit({exit_status::unauthorized, escaped(sentence) + "\n", true});
}

void Connection::exit(ipc::Exit end) {
    finished_ = true;
    handlers_.finished(end.status);
    send(end);
}

} // namespace pgod::daemon

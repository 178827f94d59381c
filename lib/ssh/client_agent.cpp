#include "ssh/client_agent.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

namespace pgod::ssh {

namespace {

// draft-miller-ssh-agent, section 5.1
constexpr char request_identities = 11;
constexpr char identities_answer = 12;

void append_u32(std::string& out, std::size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 0xff);
}

std::optional<std::size_t> take_u32(std::string_view& in) {
    if (in.size() < 4)
        return std::nullopt;
    std::size_t value = 0;
    for (int i = 0; i < 4; ++i)
        value = value << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
    in.remove_prefix(4);
    return value;
}

std::optional<std::string> take_string(std::string_view& in) {
    const auto size = take_u32(in);
    if (!size || *size > in.size())
        return std::nullopt;
    std::string text(in.substr(0, *size));
    in.remove_prefix(*size);
    return text;
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool receive_exactly(int fd, char* to, std::size_t size) {
    while (size > 0) {
        const ssize_t got = ::recv(fd, to, size, 0);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        if (got > 0) {
            to += got;
            size -= static_cast<std::size_t>(got);
        }
    }
    return true;
}

// A frame's body without its length; nullopt at the end, or when it is larger than any real one.
std::optional<std::string> receive_frame(int fd) {
    std::string head(4, '\0');
    if (!receive_exactly(fd, head.data(), head.size()))
        return std::nullopt;
    std::string_view rest(head);
    const std::size_t size = *take_u32(rest);
    if (size == 0 || size > max_agent_frame)
        return std::nullopt;
    std::string body(size, '\0');
    if (!receive_exactly(fd, body.data(), body.size()))
        return std::nullopt;
    return body;
}

bool send_frame(int fd, std::string_view body) {
    std::string frame;
    append_u32(frame, body.size());
    frame += body;
    return send_all(fd, frame);
}

Result<Fd> connect_agent(const std::string& socket_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path)
        return Error{Code::gone, "the path in SSH_AUTH_SOCK is too long"};
    std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        Error error = errno_error("connect to the agent");
        error.code = Code::gone;
        return error;
    }
    return fd;
}

void serve(int inside, int agent, const std::string& answer) noexcept {
    while (const auto request = receive_frame(inside)) {
        if ((*request)[0] == request_identities) {
            if (!send_frame(inside, answer))
                return;
            continue;
        }
        if (!send_frame(agent, *request))
            return;
        const auto reply = receive_frame(agent);
        if (!reply || !send_frame(inside, *reply))
            return;
    }
}

} // namespace

Result<std::vector<AgentKey>> list_agent_keys(const std::string& socket_path) {
    const Fd agent = TRY(connect_agent(socket_path));
    if (!send_frame(agent.get(), std::string_view(&request_identities, 1)))
        return Error{Code::gone, "the agent does not answer"};
    const auto reply = receive_frame(agent.get());
    if (!reply || (*reply)[0] != identities_answer)
        return Error{Code::gone, "the agent does not list its keys"};
    std::string_view rest = std::string_view(*reply).substr(1);
    const auto count = take_u32(rest);
    if (!count)
        return Error{Code::invalid, "the agent's answer is malformed"};
    std::vector<AgentKey> keys;
    for (std::size_t i = 0; i < std::min(*count, max_agent_keys); ++i) {
        auto blob = take_string(rest);
        auto comment = take_string(rest);
        if (!blob || !comment)
            return Error{Code::invalid, "the agent's answer is malformed"};
        keys.push_back({std::move(*blob), std::move(*comment)});
    }
    return keys;
}

SingleKeyAgent::SingleKeyAgent(Fd client, Fd inside, Fd agent, std::string answer)
    : client_(std::move(client))
    , inside_(std::move(inside))
    , agent_(std::move(agent))
    , thread_(serve, inside_.get(), agent_.get(), std::move(answer)) {}

Result<SingleKeyAgent> SingleKeyAgent::start(const std::string& socket_path, const AgentKey& key) {
    Fd agent = TRY(connect_agent(socket_path));
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return errno_error("make a socket pair");
    Fd client(ends[0]);
    Fd inside(ends[1]);
    std::string answer(1, identities_answer);
    append_u32(answer, 1);
    append_u32(answer, key.blob.size());
    answer += key.blob;
    append_u32(answer, key.comment.size());
    answer += key.comment;
    return SingleKeyAgent(std::move(client), std::move(inside), std::move(agent), std::move(answer));
}

SingleKeyAgent::~SingleKeyAgent() {
    if (!thread_.joinable())
        return;
    ::shutdown(inside_.get(), SHUT_RDWR); // wakes the thread wherever it reads
    ::shutdown(agent_.get(), SHUT_RDWR);
    thread_.join();
}

} // namespace pgod::ssh

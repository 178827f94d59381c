#include "os/channel.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pgod::os {

namespace {

using ControlBuffer = std::array<char, CMSG_SPACE(sizeof(int) * max_channel_fds)>;

Status send_frame(int fd, std::string_view bytes, std::span<const int> fds, int flags) {
    if (bytes.empty() || bytes.size() > max_channel_frame || fds.size() > max_channel_fds)
        return Error{Code::internal, "frame out of bounds"};
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) ControlBuffer control{};
    if (!fds.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    // Without descriptors by send(2): the SSH processes' filter allows no sendmsg(2).
    const auto send_once = [&] {
        return fds.empty() ? ::send(fd, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL)
                           : ::sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    };
    while (send_once() < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EPIPE || errno == ECONNRESET)
            return Error{Code::gone, "the peer process closed its channel"};
        return errno_error("send to a peer process");
    }
    return ok();
}

Result<std::optional<Frame>> receive_frame(int fd, int flags) {
    // Its size first: a buffer for the largest frame costs more page faults than one call.
    ssize_t size = 0;
    while ((size = ::recv(fd, nullptr, 0, flags | MSG_PEEK | MSG_TRUNC)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return std::optional<Frame>{};
        if (errno == ECONNRESET)
            return std::optional<Frame>{Frame{}};
        return errno_error("receive from a peer process");
    }
    if (static_cast<std::size_t>(size) > max_channel_frame)
        return Error{Code::invalid, "oversized frame from a peer process"};
    Frame frame;
    frame.bytes.resize(std::max<std::size_t>(static_cast<std::size_t>(size), 1));
    iovec part{frame.bytes.data(), frame.bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    while ((size = ::recvmsg(fd, &message, flags)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return std::optional<Frame>{};
        if (errno == ECONNRESET) {
            size = 0;
            break;
        }
        return errno_error("receive from a peer process");
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return Error{Code::invalid, "a peer process sent an oversized frame or descriptors"};
    frame.bytes.resize(static_cast<std::size_t>(size));
    return std::optional<Frame>(std::move(frame));
}

} // namespace

Result<std::array<Channel, 2>> Channel::pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return errno_error("make a socket pair");
    std::array<Channel, 2> channels{Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
    // The kernel doubles the value and charges its own bookkeeping to it. Where the default is enough and the
    // limit (net.core.wmem_max) is below, the call changes nothing that matters.
    const int size = 2 * static_cast<int>(max_channel_frame);
    for (const int end : ends)
        (void)::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return channels;
}

Status Channel::send(std::string_view bytes, std::span<const int> fds) const {
    return send_frame(fd_.get(), bytes, fds, 0);
}

Status Channel::try_send(std::string_view bytes, std::span<const int> fds) const {
    return send_frame(fd_.get(), bytes, fds, MSG_DONTWAIT);
}

Result<Frame> Channel::receive() const {
    auto frame = TRY(receive_frame(fd_.get(), 0));
    if (!frame)
        return Error{Code::transient, "no frame from a peer process"};
    return std::move(*frame);
}

Result<std::optional<Frame>> Channel::try_receive() const {
    return receive_frame(fd_.get(), MSG_DONTWAIT);
}

} // namespace pgod::os

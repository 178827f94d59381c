#include "os/channel_descriptors.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pgod::os {

namespace {

using ControlBuffer = std::array<char, CMSG_SPACE(sizeof(int) * max_channel_fds)>;

void take_descriptors(msghdr& message, std::vector<Fd>& fds) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int received = -1;
            std::memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            fds.emplace_back(received);
        }
    }
}

// nullopt: try again later. No bytes: the peer closed.
Result<std::optional<std::size_t>> size_of(ssize_t received) {
    if (received >= 0)
        return std::optional<std::size_t>(static_cast<std::size_t>(received));
    if (errno == EAGAIN)
        return std::optional<std::size_t>();
    if (errno == ECONNRESET)
        return std::optional<std::size_t>(0);
    return errno_error("receive from a peer process");
}

Result<std::optional<FrameWithDescriptors>> receive(int fd, int flags) {
    // Its size first: a buffer for the largest frame costs more page faults than one call.
    ssize_t got = 0;
    while ((got = ::recv(fd, nullptr, 0, flags | MSG_PEEK | MSG_TRUNC)) < 0 && errno == EINTR) {
    }
    const auto expected = TRY(size_of(got));
    if (!expected)
        return std::optional<FrameWithDescriptors>{};
    if (*expected > max_channel_frame)
        return Error{Code::invalid, "a peer process sent an oversized frame"};
    FrameWithDescriptors frame;
    frame.bytes.resize(std::max<std::size_t>(*expected, 1));
    iovec part{frame.bytes.data(), frame.bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) ControlBuffer control{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    while ((got = ::recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    const auto size = TRY(size_of(got));
    if (!size)
        return std::optional<FrameWithDescriptors>{};
    if (got < 0)
        message.msg_controllen = 0;
    take_descriptors(message, frame.fds);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return Error{Code::invalid, "a peer process sent an oversized frame"};
    frame.bytes.resize(*size);
    return std::optional<FrameWithDescriptors>(std::move(frame));
}

} // namespace

Result<FrameWithDescriptors> receive_with_descriptors(const Channel& channel) {
    auto frame = TRY(receive(channel.fd(), 0));
    if (!frame)
        return Error{Code::transient, "no frame from a peer process"};
    return std::move(*frame);
}

Result<std::optional<FrameWithDescriptors>> try_receive_with_descriptors(const Channel& channel) {
    return receive(channel.fd(), MSG_DONTWAIT);
}

} // namespace pgod::os

// Channel: one end of a SOCK_SEQPACKET pair between pgod's processes: whole frames. A sender can put
// descriptors beside a frame. Only channel_descriptors.hpp can take them out again, and the supervisor does
// not link that file. Bounded: a frame above ipc::max_frame (128 KiB) or with more than max_channel_fds
// descriptors is an error.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgod::os {

inline constexpr std::size_t max_channel_frame = std::size_t{128} * 1024;
inline constexpr std::size_t max_channel_fds = 8;

struct Frame {
    std::string bytes; // empty: the peer closed
    bool closed() const noexcept { return bytes.empty(); }
};

class Channel {
  public:
    Channel() = default;
    explicit Channel(Fd fd) noexcept
        : fd_(std::move(fd)) {}

    // Both ends close-on-exec and blocking, with send buffers that hold a whole frame.
    static Result<std::array<Channel, 2>> pair();

    int fd() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    Fd release() noexcept { return std::move(fd_); }
    void close() noexcept { fd_.reset(); }

    // Blocks until the frame is queued, or fails; Code::gone when the peer closed. Never raises SIGPIPE.
    Status send(std::string_view bytes, std::span<const int> fds = {}) const;
    // As send(), but Code::transient at once when the peer does not read.
    Status try_send(std::string_view bytes, std::span<const int> fds = {}) const;
    // Blocks for one frame; a Frame that is closed() at the end. A frame that came with descriptors is an
    // error: the kernel drops them, they are never opened here.
    Result<Frame> receive() const;
    // nullopt when nothing is queued.
    Result<std::optional<Frame>> try_receive() const;

  private:
    Fd fd_;
};

} // namespace pgod::os

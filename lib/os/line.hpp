// Line: what joins root to one process of less privilege. Frames, with descriptors beside them, go down over
// a socket; frames come up over a pipe, which carries no descriptor. Root's end of the socket is shut down
// for reading before anybody has the other: the kernel refuses what is sent up there (EPIPE). So nothing can
// wait in it that root would have to close, which takes as long as its maker likes (SO_LINGER).
// Bounds are those of channel.hpp and frame_pipe.hpp.
#pragma once

#include "os/channel.hpp"
#include "os/frame_pipe.hpp"

namespace pgod::os {

// Root's.
class UpperEnd {
  public:
    UpperEnd() = default;
    UpperEnd(Channel down, FrameReader up) noexcept
        : down_(std::move(down))
        , up_(std::move(up)) {}
    // A socket in both directions, whose peer can do all that we can: a process of root's at root's own
    // control socket.
    static UpperEnd to_equal(Channel channel) noexcept { return {std::move(channel), FrameReader()}; }

    int fd() const noexcept { return up_ ? up_.fd() : down_.fd(); } // readable: a frame, or the end
    explicit operator bool() const noexcept { return static_cast<bool>(down_); }
    void close() noexcept;

    Status send(std::string_view bytes, std::span<const int> fds = {}) const {
        return down_.send(bytes, fds);
    }
    Status try_send(std::string_view bytes, std::span<const int> fds = {}) const {
        return down_.try_send(bytes, fds);
    }
    // nullopt: no whole frame is there yet. closed(): the other end has gone.
    Result<std::optional<Frame>> try_receive() { return up_ ? up_.try_receive() : down_.try_receive(); }

  private:
    Channel down_;
    FrameReader up_; // none: with an equal, whose frames come over `down_`
};

struct LowerEnd {
    Channel down; // channel_descriptors.hpp takes out what came beside a frame
    FrameWriter up;

    explicit operator bool() const noexcept { return static_cast<bool>(down); }
    void close() noexcept;
};

struct Line {
    UpperEnd upper;
    LowerEnd lower;
};

Result<Line> make_line();

} // namespace pgod::os

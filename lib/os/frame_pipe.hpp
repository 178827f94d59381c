// Frames over a pipe, which cannot carry descriptors: how a process of a less privileged user reports to
// root. FrameReader is root's end, FrameWriter the other. Each frame has its length before it, four bytes,
// little endian. Bounded: a frame above max_channel_frame is an error. One writer at a time; a reader of two
// gets an error at most.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "os/channel.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pgod::os {

class FrameReader {
  public:
    FrameReader() = default;
    // Never waits: the end of the pipe must be non-blocking.
    explicit FrameReader(Fd fd) noexcept
        : fd_(std::move(fd)) {}

    int fd() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    void close() noexcept { fd_.reset(); }

    // nullopt: no whole frame is there yet. closed(): no writer is left. Reads no byte beyond one frame, so
    // that the pipe is readable as long as there is more.
    Result<std::optional<Frame>> try_receive();

  private:
    Result<bool> fill(std::size_t size); // true: `part_` has that size

    Fd fd_;
    std::string part_; // of a length and its frame, as far as it was read
    bool ended_ = false;
};

class FrameWriter {
  public:
    FrameWriter() = default;
    explicit FrameWriter(Fd fd) noexcept
        : fd_(std::move(fd)) {}

    int fd() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    void close() noexcept { fd_.reset(); }

    // Waits for a reader who is slow, for `patience` in all: after that Code::transient, and the pipe may end
    // within a frame. Code::gone: there is no reader. SIGPIPE must be ignored.
    Status send(std::string_view bytes, std::chrono::milliseconds patience) const;
    // Never waits: Code::transient, with nothing written, when the reader does not read. For frames of at
    // most max_whole_frame bytes, which the kernel takes in one piece (PIPE_BUF).
    Status try_send(std::string_view bytes) const;
    static constexpr std::size_t max_whole_frame = 4092;

  private:
    Fd fd_;
};

struct FramePipe {
    FrameReader reader;
    Fd writer; // for a FrameWriter in another process
};
Result<FramePipe> make_frame_pipe();

} // namespace pgod::os

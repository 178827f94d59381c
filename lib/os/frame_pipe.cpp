#include "os/frame_pipe.hpp"

#include "os/pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>

namespace pgod::os {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t header_bytes = 4;

std::size_t length_in(std::string_view header) noexcept {
    std::size_t length = 0;
    for (std::size_t i = header_bytes; i-- > 0;)
        length = length << 8 | static_cast<unsigned char>(header[i]);
    return length;
}

static_assert(FrameWriter::max_whole_frame + header_bytes <= PIPE_BUF);

bool wait_for_room(int fd, Clock::time_point end) noexcept {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd room{fd, POLLOUT, 0};
    return ::poll(&room, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000))) > 0 ||
           Clock::now() < end;
}

} // namespace

Result<bool> FrameReader::fill(std::size_t size) {
    while (part_.size() < size) {
        const std::size_t before = part_.size();
        part_.resize(size);
        const ssize_t got = ::read(fd_.get(), part_.data() + before, size - before);
        const int error = errno;
        part_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got > 0 || (got < 0 && error == EINTR))
            continue;
        ended_ = got == 0;
        if (got < 0 && error != EAGAIN)
            return errno_error("read a report", error);
        return false;
    }
    return true;
}

Result<std::optional<Frame>> FrameReader::try_receive() {
    if (TRY(fill(header_bytes))) {
        const std::size_t length = length_in(part_);
        if (length == 0 || length > max_channel_frame)
            return Error{Code::invalid, "a peer process sent an oversized frame"};
        if (TRY(fill(header_bytes + length))) {
            Frame frame{part_.substr(header_bytes)};
            part_.clear();
            return std::optional(std::move(frame));
        }
    }
    return ended_ ? std::optional<Frame>(Frame{}) : std::nullopt;
}

Status FrameWriter::send(std::string_view bytes, std::chrono::milliseconds patience) const {
    if (bytes.empty() || bytes.size() > max_channel_frame)
        return Error{Code::internal, "frame out of bounds"};
    std::string frame;
    for (std::size_t i = 0; i < header_bytes; ++i)
        frame.push_back(static_cast<char>(bytes.size() >> (8 * i) & 0xff));
    frame += bytes;
    const auto end = Clock::now() + patience;
    for (std::string_view rest = frame; !rest.empty();) {
        const ssize_t wrote = ::write(fd_.get(), rest.data(), rest.size());
        if (wrote > 0)
            rest.remove_prefix(static_cast<std::size_t>(wrote));
        else if (errno == EPIPE)
            return Error{Code::gone, "nobody reads the reports any more"};
        else if (errno == EAGAIN && !wait_for_room(fd_.get(), end))
            return Error{Code::transient, "the supervisor does not read"};
        else if (errno != EAGAIN && errno != EINTR)
            return errno_error("write a report");
    }
    return ok();
}

Status FrameWriter::try_send(std::string_view bytes) const {
    if (bytes.size() > max_whole_frame)
        return Error{Code::internal, "frame out of bounds"};
    return send(bytes, std::chrono::milliseconds(0));
}

Result<FramePipe> make_frame_pipe() {
    Pipe pipe = TRY(make_pipe());
    for (const Fd* end : {&pipe.read_end, &pipe.write_end})
        if (::fcntl(end->get(), F_SETFL, O_NONBLOCK) != 0)
            return errno_error("make a pipe non-blocking");
    return FramePipe{FrameReader(std::move(pipe.read_end)), std::move(pipe.write_end)};
}

} // namespace pgod::os

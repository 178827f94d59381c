#include "os/line.hpp"

#include <sys/socket.h>

namespace pgod::os {

void UpperEnd::close() noexcept {
    down_.close();
    up_.close();
}

void LowerEnd::close() noexcept {
    down.close();
    up.close();
}

Result<Line> make_line() {
    auto down = TRY(Channel::pair());
    if (::shutdown(down[0].fd(), SHUT_RD) != 0)
        return errno_error("close the way up of a socket pair");
    auto up = TRY(make_frame_pipe());
    return Line{{std::move(down[0]), std::move(up.reader)},
                {std::move(down[1]), FrameWriter(std::move(up.writer))}};
}

} // namespace pgod::os

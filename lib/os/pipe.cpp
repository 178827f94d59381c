#include "os/pipe.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>

namespace pgod::os {

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::size_t waiting_in(const Fd& read_end) noexcept {
    int bytes = 0;
    return read_end && ::ioctl(read_end.get(), FIONREAD, &bytes) == 0 && bytes > 0
               ? static_cast<std::size_t>(bytes)
               : 0;
}

} // namespace pgod::os

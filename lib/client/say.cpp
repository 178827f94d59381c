#include "client/say.hpp"

#include "base/text.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace pgod::client {

void say(std::string_view sentence) {
    (void)write_all(STDERR_FILENO, "pgoctl: " + escaped(sentence) + "\n");
}

void say_raw(std::string_view text) {
    (void)write_all(STDERR_FILENO, text);
}

bool write_all(int fd, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) { // a descriptor that another process made non-blocking
            pollfd polled{fd, POLLOUT, 0};
            (void)::poll(&polled, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

} // namespace pgod::client

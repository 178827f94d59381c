#include "client/output.hpp"

#include "base/result.hpp"
#include "client/say.hpp"
#include "core/exit_status.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace pgod::client {

namespace {

constexpr int broken_pipe = 128 + SIGPIPE; // what a shell shows for a filter whose reader left

} // namespace

bool Output::take(bool is_stderr, std::string_view bytes) {
    if (is_stderr)
        (void)write(STDERR_FILENO, bytes); // nobody listens to stderr: not worth stopping for
    else if (write_error_ == 0 && !write(STDOUT_FILENO, bytes))
        write_error_ = errno;
    return write_error_ == 0 || !needs_reader_;
}

std::optional<int> Output::status_of_failure(bool unwanted) const {
    if (write_error_ != 0 && write_error_ != EPIPE)
        say(errno_error("cannot write the output", write_error_).message);
    if (!unwanted)
        return std::nullopt;
    return write_error_ == EPIPE ? broken_pipe : exit_status::failed;
}

void Output::end_progress() {
    live_.reset();
}

bool Output::write(int fd, std::string_view bytes) {
    return live_ ? live_->write(fd, bytes) : write_all(fd, bytes);
}

} // namespace pgod::client

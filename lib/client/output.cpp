#include "client/output.hpp"

#include "base/result.hpp"
#include "client/say.hpp"
#include "core/exit_status.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pgod::client {

namespace {

constexpr int broken_pipe = 128 + SIGPIPE; // what a shell shows for a filter whose reader left

} // namespace

bool Output::might_be_refusal() const noexcept {
    const auto common = std::min(held_.size(), refusal_begin.size());
    return held_.size() <= max_refusal &&
           std::string_view(held_).substr(0, common) == refusal_begin.substr(0, common);
}

bool Output::take(bool is_stderr, std::string_view bytes) {
    if (holding_ && is_stderr) {
        held_ += bytes;
        if (!might_be_refusal())
            release();
        return true;
    }
    release();
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

void Output::release() {
    holding_ = false;
    (void)write(STDERR_FILENO, std::exchange(held_, {}));
}

void Output::end_progress() {
    live_.reset();
}

bool Output::write(int fd, std::string_view bytes) {
    return live_ ? live_->write(fd, bytes) : write_all(fd, bytes);
}

std::string Output::take_refusal() {
    const bool refusal = holding_ && held_.starts_with(refusal_begin);
    return refusal ? std::exchange(held_, {}) : std::string{};
}

} // namespace pgod::client

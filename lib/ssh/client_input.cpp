#include "ssh/client_input.hpp"

#include <unistd.h>

#include <cerrno>

namespace pgod::ssh {

namespace {

constexpr std::size_t piece = std::size_t{32} << 10; // bytes

} // namespace

int ClientInput::waits_for() const noexcept {
    return end_ || sent_ < bytes_.size() ? -1 : fd_;
}

void ClientInput::fill() noexcept {
    const std::size_t before = bytes_.size();
    bytes_.resize(before + piece);
    const ssize_t got = ::read(fd_, bytes_.data() + before, piece);
    bytes_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    end_ = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

void ClientInput::sent(std::size_t size) {
    sent_ += size;
    kept_ = kept_ && bytes_.size() <= max_kept_input;
    if (!kept_ && sent_ == bytes_.size()) {
        bytes_.clear();
        sent_ = 0;
    }
}

bool ClientInput::begin_again() noexcept {
    if (kept_)
        sent_ = 0;
    return kept_;
}

} // namespace pgod::ssh

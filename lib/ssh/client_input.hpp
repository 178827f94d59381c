// What pgoctl's command is sent: the bytes of a descriptor, as the server takes them. Until it is sure that
// the server took the command for this key, everything is kept, for another key may have to send it again: a
// server that refuses reads nothing, so that is no more than the first window of its channel. Runs in pgoctl.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgod::ssh {

inline constexpr std::size_t max_kept_input = std::size_t{4} << 20; // bytes

class ClientInput {
  public:
    explicit ClientInput(int fd) noexcept // -1: there is none, and the command is not told of its end
        : fd_(fd) {}

    bool exists() const noexcept { return fd_ >= 0; }
    int waits_for() const noexcept; // to be readable; -1: nothing is wanted now
    void fill() noexcept;           // what is there; does not wait when the descriptor is readable

    std::string_view unsent() const noexcept { return std::string_view(bytes_).substr(sent_); }
    void sent(std::size_t size);
    bool at_end() const noexcept { return end_ && sent_ == bytes_.size(); }

    bool begin_again() noexcept; // false: what was sent is gone

  private:
    int fd_;
    std::string bytes_;
    std::size_t sent_ = 0;
    bool end_ = false;
    bool kept_ = true;
};

} // namespace pgod::ssh

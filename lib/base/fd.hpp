// Fd: the one owner of a file descriptor. Every descriptor that pgod makes is close-on-exec.
#pragma once

#include <unistd.h>

#include <utility>

namespace pgod {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) noexcept
        : fd_(fd) {}
    Fd(Fd&& other) noexcept
        : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0 && fd_ != fd)
            ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

} // namespace pgod

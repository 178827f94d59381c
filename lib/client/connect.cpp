#include "client/connect.hpp"

#include "base/handle.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace pgod::client {

namespace {

using Clock = std::chrono::steady_clock;
using Addresses = Handle<addrinfo, ::freeaddrinfo>;

constexpr std::chrono::milliseconds stagger{250};
constexpr int keepalive_seconds = 30;
constexpr int keepalive_count = 3;
constexpr int unanswered_milliseconds = 60'000;

void set_option(int fd, int level, int option, int value) {
    (void)::setsockopt(fd, level, option, &value, sizeof value); // only comfort; the connection works without
}

Result<Addresses> look_up(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    Addresses found;
    const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, Out(found));
    if (rc != 0)
        return Error{Code::transient,
                     fmt::format("cannot find the host {}: {}", escaped(host),
                                 rc == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(rc))};
    return found;
}

// Attempts under way, and the error of the last one that failed.
class Attempts {
  public:
    // A socket that is connected at once, if that happens.
    Fd start(const addrinfo& address) {
        Fd fd(::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       address.ai_protocol));
        if (!fd) {
            last_error_ = errno;
            return {};
        }
        set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
        set_option(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, keepalive_seconds);
        set_option(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL, keepalive_seconds);
        set_option(fd.get(), IPPROTO_TCP, TCP_KEEPCNT, keepalive_count);
        set_option(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, unanswered_milliseconds);
        if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0)
            return fd;
        if (errno == EINPROGRESS)
            pending_.push_back(std::move(fd));
        else
            last_error_ = errno;
        return {};
    }

    // The first one that got through within `wait`; failed ones are dropped.
    Fd wait(std::chrono::milliseconds time) {
        std::vector<pollfd> polled;
        for (const Fd& fd : pending_)
            polled.push_back({fd.get(), POLLOUT, 0});
        if (::poll(polled.data(), polled.size(), static_cast<int>(time.count())) <= 0)
            return {};
        for (std::size_t i = polled.size(); i-- > 0;) {
            if (polled[i].revents == 0)
                continue;
            int error = 0;
            socklen_t size = sizeof error;
            if (::getsockopt(polled[i].fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
                error = errno;
            Fd fd = std::move(pending_[i]);
            pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
            if (error == 0)
                return fd;
            last_error_ = error;
        }
        return {};
    }

    bool none_pending() const noexcept { return pending_.empty(); }
    int last_error() const noexcept { return last_error_; }

  private:
    std::vector<Fd> pending_;
    int last_error_ = 0;
};

} // namespace

Result<Fd> connect_tcp(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
    const Addresses addresses = TRY(look_up(host, port));
    const auto deadline = Clock::now() + timeout;
    const addrinfo* next = addresses.get();
    Attempts attempts;
    while (next != nullptr || !attempts.none_pending()) {
        if (next != nullptr) {
            if (Fd fd = attempts.start(*next))
                return fd;
            next = next->ai_next;
        }
        // Wait a moment for those under way before the next address joins them; with none left, to the end.
        auto moment = Clock::now() + stagger;
        while (!attempts.none_pending()) {
            const auto until = next != nullptr ? std::min(moment, deadline) : deadline;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
            if (left.count() <= 0)
                break;
            if (Fd fd = attempts.wait(left))
                return fd;
        }
        if (Clock::now() >= deadline && !attempts.none_pending())
            return Error{Code::timeout, fmt::format("cannot connect to {} port {}: no answer within {} s",
                                                    escaped(host), port, timeout.count() / 1000)};
    }
    return Error{Code::transient, fmt::format("cannot connect to {} port {}: {}", escaped(host), port,
                                              std::strerror(attempts.last_error()))};
}

} // namespace pgod::client

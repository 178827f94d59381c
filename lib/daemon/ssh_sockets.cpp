#include "daemon/ssh_sockets.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>

namespace pgod::daemon {

namespace {

constexpr int peer_timeout = 5 * 60 * 1000; // ms; a reader that pauses (less) must survive it
constexpr int keepalive_idle = 60;          // s
constexpr int keepalive_interval = 15;      // s
constexpr int keepalive_probes = 4;

void set(int socket, int level, int option, int value) noexcept {
    (void)::setsockopt(socket, level, option, &value, sizeof value); // each only an improvement
}

} // namespace

void tune_listener(int socket) noexcept {
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, peer_timeout);
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle);
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval);
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes);
}

std::string peer_text(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& four = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
        return fmt::format("{}:{}", text.data(), ntohs(four.sin_port));
    }
    if (address.ss_family == AF_INET6) {
        const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
        if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
            ::inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text.data(), text.size());
            return fmt::format("{}:{}", text.data(), ntohs(six.sin6_port));
        }
        ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
        return fmt::format("[{}]:{}", text.data(), ntohs(six.sin6_port));
    }
    return "a local socket";
}

} // namespace pgod::daemon

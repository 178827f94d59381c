#include "daemon/listening_sockets.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

namespace pgod::daemon {

namespace {

constexpr std::size_t max_listeners = 4;
constexpr int backlog = 512; // waiting connections; a burst of idle ones must not hide a good one

struct FreeAddresses {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

Result<Fd> listen_on(const addrinfo& address) {
    Fd fd(
        ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
    if (!fd)
        return errno_error("make a socket");
    const int on = 1;
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ai_family == AF_INET6)
        (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0 || ::listen(fd.get(), backlog) != 0)
        return errno_error("bind");
    return fd;
}

} // namespace

Result<std::vector<Fd>> listen_at(const ListenAddress& address, NoHost no_host, std::string_view setting) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = (no_host == NoHost::everywhere ? AI_PASSIVE : 0) | AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    const int code = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                   std::to_string(address.port).c_str(), &hints, &raw);
    if (code != 0)
        return Error{Code::invalid, fmt::format("{}: {}: {}", setting, address.host, ::gai_strerror(code))};
    const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
    std::vector<Fd> listeners;
    std::optional<Error> failure;
    for (const addrinfo* entry = list.get(); entry != nullptr && listeners.size() < max_listeners;
         entry = entry->ai_next) {
        auto fd = listen_on(*entry);
        if (fd)
            listeners.push_back(std::move(*fd));
        else
            failure = std::move(fd).error();
    }
    // A host without IPv6 fails on one of two; both failing is an error.
    if (listeners.empty())
        return std::move(*failure).context(fmt::format("{} on {}:{}", setting, address.host, address.port));
    return listeners;
}

} // namespace pgod::daemon

#include "compose/ports.hpp"

#include "base/fd.hpp"
#include "core/published_port.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <set>

namespace pgod::compose {

namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

std::optional<Address> address_of(const std::string& text, std::uint16_t port) {
    Address address;
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (::inet_pton(AF_INET, text.empty() ? "0.0.0.0" : text.c_str(), &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        address.size = sizeof *four;
        return address;
    }
    const std::string bare = text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
    if (::inet_pton(AF_INET6, bare.c_str(), &six->sin6_addr) != 1)
        return std::nullopt;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.size = sizeof *six;
    return address;
}

// 0, or the errno of the bind.
int try_bind(const PublishedPort& published, std::uint16_t port) {
    const auto address = address_of(published.address, port);
    if (!address || published.protocol == "sctp")
        return 0; // podman will tell
    const int kind = published.protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM;
    const Fd fd(::socket(address->storage.ss_family, kind | SOCK_CLOEXEC, 0));
    const int yes = 1;
    // As podman does it: a connection that lingers in TIME_WAIT is no reason to refuse.
    if (!fd ||
        (kind == SOCK_STREAM && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0))
        return 0;
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address->storage), address->size) == 0 ? 0
                                                                                                      : errno;
}

Status judge(int error, const std::string& service, const PublishedPort& published, std::uint16_t port) {
    const std::string where = fmt::format("{}: ports: {}{}{}", service, published.address,
                                          published.address.empty() ? "" : ":", port);
    if (error == EADDRINUSE)
        return Error{Code::transient, where + " is in use by another program"};
    if (error == EACCES)
        return Error{Code::permanent, where + " may not be bound by this user"};
    if (error == EADDRNOTAVAIL)
        return Error{Code::permanent, where + ": this host does not have the address"};
    return ok();
}

} // namespace

Status check_ports(const Plan& plan, std::span<const Container> ours) {
    std::set<std::uint16_t> held;
    for (const auto& container : ours)
        held.insert(container.host_ports.begin(), container.host_ports.end());
    for (const auto& container : plan.containers)
        for (const auto& published : published_ports(container)) {
            if (published.is_random())
                continue;
            for (unsigned port = published.host_first; port <= published.host_last; ++port) {
                const auto number = static_cast<std::uint16_t>(port);
                if (!held.contains(number))
                    TRY(judge(try_bind(published, number), container.service, published, number));
            }
        }
    return ok();
}

} // namespace pgod::compose

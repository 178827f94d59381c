#include "os/control_socket.hpp"

#include "os/safe_path.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace pgod::os {

namespace {

constexpr const char* name_beneath = "/pgod/control.sock";
constexpr int backlog = 64;

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{Code::invalid, path + " is too long for a socket: at most 107 bytes"};
    std::copy(path.begin(), path.end(), address.sun_path);
    return address;
}

Result<Fd> make_socket(int flags) {
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
    if (!fd)
        return errno_error("make a socket");
    return fd;
}

Result<Fd> connect_to(const std::string& path, int flags) {
    const auto address = TRY(address_of(path));
    Fd fd = TRY(make_socket(flags));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fd;
    Error error = errno_error("connect to " + path);
    if (errno == ENOENT || errno == ECONNREFUSED)
        error.code = Code::gone;
    return error;
}

} // namespace

std::string control_socket_of_host() {
    return std::string("/run") + name_beneath;
}

std::string control_socket_of_user(const std::string& runtime_directory) {
    return runtime_directory + name_beneath;
}

std::string users_socket_beside(const std::string& control_socket) {
    return control_socket.substr(0, control_socket.rfind('/') + 1) + "users.sock";
}

Result<Fd> listen_for_users(const std::string& path, mode_t mode) {
    const auto address = TRY(address_of(path));
    TRY(make_own_directory(path.substr(0, path.rfind('/')), 0755));
    const auto other = connect_to(path, SOCK_NONBLOCK);
    if (other || other.error().code != Code::gone)
        return Error{Code::invalid, "another pgod listens on " + path};
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && (!S_ISSOCK(status.st_mode) || ::unlink(path.c_str()) != 0))
        return Error{Code::invalid, path + " is in the way: remove it"};
    Fd fd = TRY(make_socket(SOCK_NONBLOCK));
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), mode) != 0 || ::listen(fd.get(), backlog) != 0)
        return errno_error("listen on " + path);
    return fd;
}

Result<std::optional<Fd>> accept_user(int listener) {
    Fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd)
        return std::optional<Fd>(std::move(fd));
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return std::optional<Fd>{};
    return errno_error("accept on the control socket");
}

Result<Fd> connect_to_control(const std::string& path) {
    return connect_to(path, 0);
}

Result<uid_t> peer_of(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return errno_error("ask who is at the other end");
    return peer.uid;
}

} // namespace pgod::os

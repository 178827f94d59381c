#include "os/service_manager.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace pgod::os {

namespace {

constexpr int first_passed = 3; // SD_LISTEN_FDS_START
constexpr int max_passed = 8;

std::string taken_variable(const char* name) {
    const char* value = std::getenv(name);
    std::string text = value == nullptr ? "" : value;
    (void)::unsetenv(name);
    return text;
}

std::optional<std::int64_t> number_of(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0)
        return std::nullopt;
    return number;
}

bool is_listener(int fd) {
    int listening = 0;
    int type = 0;
    socklen_t size = sizeof listening;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
        return false;
    size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

} // namespace

ServiceManager ServiceManager::from_environment() {
    ServiceManager manager;
    manager.socket_ = taken_variable("NOTIFY_SOCKET");
    const auto microseconds = number_of(taken_variable("WATCHDOG_USEC"));
    const std::string process = taken_variable("WATCHDOG_PID");
    if (microseconds && *microseconds >= 1000 && (process.empty() || number_of(process) == ::getpid()))
        manager.watchdog_ = std::chrono::milliseconds(*microseconds / 1000);
    return manager;
}

void ServiceManager::ready(std::string_view status) const {
    send(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::stopping() const {
    send("STOPPING=1");
}

void ServiceManager::alive() const {
    send("WATCHDOG=1");
}

// Never waits: a manager that does not read must not stop what it watches.
void ServiceManager::send(std::string_view message) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.size() < 2 || socket_.size() >= sizeof address.sun_path ||
        (socket_[0] != '/' && socket_[0] != '@'))
        return;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@')
        address.sun_path[0] = '\0';
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd)
        return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    (void)::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&address), size);
}

std::vector<Fd> passed_listeners() {
    const auto process = number_of(taken_variable("LISTEN_PID"));
    const auto count = number_of(taken_variable("LISTEN_FDS"));
    (void)::unsetenv("LISTEN_FDNAMES");
    std::vector<Fd> listeners;
    if (process != ::getpid() || !count)
        return listeners;
    for (int fd = first_passed; fd < first_passed + std::min<std::int64_t>(*count, max_passed); ++fd) {
        Fd passed(fd);
        if (!is_listener(fd) || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
            ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
            continue;
        listeners.push_back(std::move(passed));
    }
    return listeners;
}

} // namespace pgod::os

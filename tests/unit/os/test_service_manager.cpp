#include "os/service_manager.hpp"

#include "temporary_directory.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

using namespace pgod;
using namespace pgod::os;
using namespace std::chrono_literals;

namespace {

// What the service manager's end of the notification socket is.
class Manager {
  public:
    explicit Manager(const std::string& name)
        : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@')
            address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    std::string heard() const {
        std::array<char, 256> text{};
        const ssize_t size = ::recv(fd_.get(), text.data(), text.size(), 0);
        return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
    }

  private:
    Fd fd_;
};

Fd listening_socket() {
    Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
    return fd;
}

// In a child, whose descriptors 3… may be what they like: exits with the number of listeners it finds.
int listeners_passed(std::initializer_list<int> passed, const std::string& count, bool to_us) {
    const pid_t child = ::fork();
    if (child == 0) {
        int place = 3;
        for (const int fd : passed)
            (void)::dup2(fd, place++);
        ::setenv("LISTEN_FDS", count.c_str(), 1);
        ::setenv("LISTEN_PID", std::to_string(to_us ? ::getpid() : ::getppid()).c_str(), 1);
        const auto found = passed_listeners();
        for (const auto& fd : found)
            if ((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) == 0 ||
                (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) == 0)
                ::_exit(100);
        if (std::getenv("LISTEN_FDS") != nullptr || std::getenv("LISTEN_PID") != nullptr)
            ::_exit(101);
        ::_exit(static_cast<int>(found.size()));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
}

} // namespace

TEST_CASE("the service manager hears of readiness, of life and of the end") {
    const TemporaryDirectory directory;
    for (const std::string& name : {directory.path + "/notify", "@pgod-test-" + std::to_string(::getpid())}) {
        const Manager manager(name);
        const auto side = ServiceManager::from_environment();
        CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
        CHECK_FALSE(side.watchdog());
        side.ready("serves 3 services");
        CHECK(manager.heard() == "READY=1\nSTATUS=serves 3 services");
        side.alive();
        CHECK(manager.heard() == "WATCHDOG=1");
        side.stopping();
        CHECK(manager.heard() == "STOPPING=1");
    }
}

TEST_CASE("without a service manager nothing is said and nothing fails") {
    ::unsetenv("NOTIFY_SOCKET");
    ServiceManager::from_environment().ready("x");
    for (const char* nonsense : {"", "/", "relative", "@", "vsock:2:3"}) {
        ::setenv("NOTIFY_SOCKET", nonsense, 1);
        ServiceManager::from_environment().ready("x");
    }
    ::setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
    ServiceManager::from_environment().ready("x");
}

TEST_CASE("the watchdog is ours only when it names this process") {
    struct Row {
        const char* microseconds;
        std::string process;
        std::optional<std::chrono::milliseconds> expected;
    };
    const std::string us = std::to_string(::getpid());
    for (const auto& row : {Row{"30000000", us, 30s}, Row{"30000000", "", 30s}, Row{"30000000", "1", {}},
                            Row{"", us, {}}, Row{"-5", us, {}}, Row{"3x", us, {}}, Row{"10", us, {}}}) {
        CAPTURE(row.microseconds);
        CAPTURE(row.process);
        ::setenv("WATCHDOG_USEC", row.microseconds, 1);
        ::setenv("WATCHDOG_PID", row.process.c_str(), 1);
        CHECK(ServiceManager::from_environment().watchdog() == row.expected);
    }
}

TEST_CASE("listening sockets are taken over, everything else that was passed is not") {
    const Fd one = listening_socket();
    const Fd other = listening_socket();
    const Fd quiet(::socket(AF_INET, SOCK_STREAM, 0));
    const Fd datagrams(::socket(AF_INET, SOCK_DGRAM, 0));
    CHECK(listeners_passed({one.get(), other.get()}, "2", true) == 2);
    CHECK(listeners_passed({one.get(), quiet.get(), datagrams.get(), 0}, "4", true) == 1);
    CHECK(listeners_passed({one.get()}, "1", false) == 0);
    CHECK(listeners_passed({one.get()}, "nonsense", true) == 0);
    CHECK(listeners_passed({one.get()}, "0", true) == 0);
}

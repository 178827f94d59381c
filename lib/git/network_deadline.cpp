#include "git/network_deadline.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace pgod::git {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int max_descriptors = 256; // of a job's process, see the role's RLIMIT_NOFILE

Clock::time_point network_deadline = Clock::time_point::max();

// Async-signal-safe: only getsockopt(2) and shutdown(2).
void shut_internet_sockets(int) noexcept {
    const int saved = errno;
    for (int fd = 0; fd < max_descriptors; ++fd) {
        int domain = 0;
        socklen_t size = sizeof domain;
        if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
            (domain == AF_INET || domain == AF_INET6))
            ::shutdown(fd, SHUT_RDWR);
    }
    errno = saved;
}

void set_alarm(milliseconds first, milliseconds then) {
    const auto interval = [](milliseconds time) {
        return timeval{.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
    };
    const itimerval timer{.it_interval = interval(then), .it_value = interval(first)};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

} // namespace

NetworkDeadline::NetworkDeadline(Clock::time_point deadline) {
    network_deadline = deadline;
    if (deadline == Clock::time_point::max())
        return;
    struct sigaction action {};
    action.sa_handler = shut_internet_sockets; // no SA_RESTART: a blocked connect(2) returns
    ::sigaction(SIGALRM, &action, nullptr);
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    set_alarm(std::max(left, milliseconds{1}), milliseconds{200});
}

NetworkDeadline::~NetworkDeadline() {
    set_alarm(milliseconds::zero(), milliseconds::zero());
    network_deadline = Clock::time_point::max();
}

Clock::time_point NetworkDeadline::current() noexcept {
    return network_deadline;
}

bool NetworkDeadline::passed() noexcept {
    return Clock::now() >= network_deadline;
}

} // namespace pgod::git
